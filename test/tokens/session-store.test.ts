import { testStore } from './store-conformance.ts'
import { STORES } from './stores.ts'

for (const [name, create] of Object.entries(STORES)) testStore(name, create)
