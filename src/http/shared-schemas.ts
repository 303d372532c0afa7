/**
 * Moves every object schema that has a title to `components.schemas` of an OpenAPI document, and
 * leaves a `$ref` in its place. Without this, each route would repeat its schemas in full.
 */
export function shareSchemas<T extends OpenapiDocument>(document: T): T {
  const schemas: Record<string, unknown> = {}

  function share(node: unknown): unknown {
    if (Array.isArray(node)) return node.map(share)
    if (typeof node !== 'object' || node === null) return node
    const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, share(value)]))
    const { type, title } = copy
    if (type !== 'object' || typeof title !== 'string') return copy
    schemas[title] = copy
    return { $ref: `#/components/schemas/${title}` }
  }

  const paths = share(document.paths)
  return { ...document, paths, components: { ...document.components, schemas } }
}

interface OpenapiDocument {
  paths?: unknown
  components?: object | undefined
}
