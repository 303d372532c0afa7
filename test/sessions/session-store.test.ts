import { testStore } from '../support/sessions/store-conformance.ts'
import { STORES } from '../support/sessions/stores.ts'

for (const [name, create] of Object.entries(STORES)) testStore(name, create)
