import { Ajv, type ValidateFunction } from 'ajv'

interface Reference { $ref: string }
interface Operation { action: 'send' | 'receive', messages: Reference[], reply?: { messages: Reference[] } }
/** The parts of an AsyncAPI document that the judge reads. */
export interface Document {
  asyncapi: string
  operations: Record<string, Operation>
  channels: Record<string, { messages: Record<string, Reference> }>
  components: { messages: Record<string, object>, schemas: object }
}

type Frame = Record<string, unknown>

/** Judges the frames of a connection by an AsyncAPI document alone: it knows nothing else of the server. */
export function createJudge (document: Document) {
  const ajv = new Ajv({ strict: false })
  ajv.addSchema({ components: document.components }, 'document')
  const checks: Record<string, ValidateFunction> = Object.fromEntries(Object.keys(document.components.messages).map(key =>
    [key, ajv.compile({ $ref: `document#/components/messages/${key}/payload` })]))
  const operations = Object.entries(document.operations)

  /** A message of an operation refers to one of the channel, which refers to one of the components. */
  function keyOf ({ $ref }: Reference): string {
    const [, channel, key] = /^#\/channels\/(\w+)\/messages\/(\w+)$/.exec($ref)!
    return document.channels[channel!]!.messages[key!]!.$ref.split('/').at(-1)!
  }

  const fits = (key: string, frame: unknown): boolean => checks[key]!(frame)
  const fitsOne = (messages: Reference[], frame: Frame): boolean => messages.some(message => fits(keyOf(message), frame))
  const ofAction = (wanted: Operation['action'], frame: Frame) =>
    operations.filter(([, { action, messages }]) => action === wanted && fitsOne(messages, frame))

  return {
    /** Whether a value is a message of the components. */
    fits,

    /** Starts to judge one connection. Both functions return the name of the operation that the frame belongs to; undefined: of none. */
    connection () {
      const pending = new Map<unknown, string>()
      return {
        fromClient (frame: Frame): string | undefined {
          const [name] = ofAction('receive', frame)[0] ?? []
          if (name !== undefined && frame.ref !== undefined) pending.set(frame.ref, name)
          return name
        },
        fromServer (frame: Frame): string | undefined {
          if (frame.ref === undefined) return ofAction('send', frame)[0]?.[0]
          const name = pending.get(frame.ref)
          if (name === undefined || !fitsOne(document.operations[name]!.reply!.messages, frame)) return undefined
          pending.delete(frame.ref)
          return name
        },
        /** The number of requests without a reply. */
        get pending () { return pending.size }
      }
    }
  }
}
