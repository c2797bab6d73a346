import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
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
 * Compiles the schemas of all frames that the server sends. Returns a function that judges the text of one; null: it fits. Clients ignore
 * fields that they do not know, but here a field that no schema has is a fault, because no client could know of it.
 */
export function createFrameCheck (): (json: string) => FrameFault | null {
  const checks = new Map([...sentFrames].map(([name, schema]) => [name, TypeCompiler.Compile(closed(schema))]))
  return json => {
    const frame = JSON.parse(json) as { type?: unknown, action?: unknown }
    const name = nameOf(frame)
    const check = checks.get(name)
    if (!check) return { frame: name, path: '', message: 'No schema' }
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
