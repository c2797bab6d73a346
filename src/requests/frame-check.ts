import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { nameOf, sentFrames } from './frames.ts'

/** Why a frame is not what its schema says. It has nothing of the frame's content, so that it may be logged. */
export interface FrameFault {
  /** The frame's `type`, with the `action` of a success. */
  frame: string
  /** The place in the frame, as a JSON pointer. */
  path: string
  message: string
}

/**
 * Returns a function that judges the text of a frame that the server sends; null: it fits. It compiles a frame's schema when it judges the
 * first such frame. Clients ignore fields that they do not know, but here a field that no schema has is a fault, because no client could
 * know of it.
 */
export function createFrameCheck (): (json: string) => FrameFault | null {
  const checks = new Map<string, TypeCheck<TSchema>>()
  const compile = (name: string, schema: TSchema): TypeCheck<TSchema> => {
    const check = TypeCompiler.Compile(closed(schema))
    checks.set(name, check)
    return check
  }
  return json => {
    const frame = JSON.parse(json) as { type?: unknown, action?: unknown }
    const name = nameOf(frame)
    const schema = sentFrames.get(name)
    if (!schema) return { frame: name, path: '', message: 'No schema' }
    const check = checks.get(name) ?? compile(name, schema)
    if (check.Check(frame)) return null
    const { path, message } = check.Errors(frame).First()!
    return { frame: name, path, message }
  }
}

/** Copies a schema so that its objects may have no other fields than those that it names. */
function closed<S extends TSchema> (schema: S): S {
  switch (schema[Kind]) {
    case 'Object': {
      const { properties } = schema as unknown as TObject
      const copies = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, closed(field)]))
      return { ...schema, properties: copies, additionalProperties: false }
    }
    case 'Array': return { ...schema, items: closed(schema.items as TSchema) }
    case 'Union': return { ...schema, anyOf: (schema.anyOf as TSchema[]).map(closed) }
    default: return schema
  }
}
