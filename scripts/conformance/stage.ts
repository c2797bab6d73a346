import { openConnection, type Connection, type Frame, type OpenOptions } from './connection.ts'
import type { Contract } from './contract.ts'
import type { People, Person } from './people.ts'
import type { Rest } from './rest.ts'
import type { Witness } from './witness.ts'

/** One thing that a rule says and that can be seen from outside. A rule may have several cases. */
export interface Case {
  /** The rule's number, or the name of a row that has none. */
  rule: string
  title: string
  run (stage: Stage): Promise<void>
}

/** Everything that the cases of a run share. */
export interface World {
  contract: Contract
  witness: Witness
  people: People
  rest: Rest
  /** The URL of the WebSocket endpoint, and the base URL of REST. */
  urls: { socket: string, rest: string }
  /** Milliseconds that one answer may take. */
  deadline: number
  /** A word that the names of the run's users and channels begin with. */
  run: string
  /** Names of the accounts and channels that the run has made and could not delete. */
  left: string[]
}

export type Stage = ReturnType<typeof createStage>

export interface MadeChannel { name: string, id: string }

/** The surroundings of one case: its users, its connections and its channels, which end with it. `turn`: the number of the case. */
export function createStage (world: World, turn: number) {
  const { people, rest, urls, witness, deadline, run } = world
  const connections: Connection[] = []
  const channels: Array<{ name: string, owner: Person }> = []
  // The users take turns as creators of channels, so that none exceeds the limit of channels a minute [P58].
  const [ann, ben] = turn % 2 === 0 ? [people.ann, people.ben] : [people.ben, people.ann]

  /** A name that no other case has. The channel of that name is deleted after the case by `owner`, if there is one. */
  function name (owner: Person = ann): string {
    const chosen = `${run}-${turn}-${channels.length}`
    channels.push({ name: chosen, owner })
    return chosen
  }

  /** Starts to open a connection that is not authenticated. */
  function open (options: OpenOptions = {}): Connection {
    const connection = openConnection(urls.socket, options, witness, deadline)
    connections.push(connection)
    return connection
  }

  /** Opens a connection and authenticates it. */
  async function connect (person: Person, fields: object = {}): Promise<Connection> {
    const connection = open()
    await connection.opened()
    await connection.must({ type: 'authenticate', token: person.token, ...fields })
    return connection
  }

  /** Opens a connection, authenticates it and subscribes it to a channel. */
  async function join (person: Person, channel: string): Promise<Connection> {
    const connection = await connect(person)
    await connection.must({ type: 'join_channel', channel })
    return connection
  }

  /** Creates a channel on the connection of its owner, and subscribes that and other connections to it. */
  async function channel (owner: Person, connection: Connection, others: Connection[] = [], settings: object = {}): Promise<MadeChannel> {
    const chosen = name(owner)
    const { channel } = await connection.must({ type: 'command', command: 'create_channel', name: chosen, ...settings })
    for (const each of [connection, ...others]) await each.must({ type: 'join_channel', channel: chosen })
    return { name: chosen, id: channel.id }
  }

  /** Opens a connection for each of both users and subscribes them to a new channel of `ann`. */
  async function pair (settings: object = {}) {
    const [host, guest] = await Promise.all([connect(ann), connect(ben)])
    return { host, guest, ...await channel(ann, host, [guest], settings) }
  }

  async function remove ({ name, owner }: { name: string, owner: Person }): Promise<void> {
    const { status } = await rest.call('DELETE', `/api/channels/${name}`, { token: owner.token })
    if (status !== 204 && status !== 404) world.left.push(`the channel ${name}`)
  }

  /** Ends what the case has begun. */
  async function end (): Promise<void> {
    await Promise.all(channels.map(remove))
    for (const connection of connections) connection.close()
  }

  return { ...world, ann, ben, name, open, connect, join, channel, pair, end }
}

/** Whether a frame is the message with this `seq`, or any message, of this channel. */
export const isMessage = (channel: string, seq?: number) => (frame: Frame): boolean =>
  frame.type === 'message' && frame.channel === channel && (seq === undefined || frame.seq === seq)

/** Whether a frame is of this type and about this channel. */
export const isNotice = (type: string, channel: string) => (frame: Frame): boolean => frame.type === type && frame.channel === channel

/** Sends a message. @returns the receipt. */
export function say (connection: Connection, channel: string, message: string, fields: object = {}): Promise<Frame> {
  return connection.must({ type: 'send_message', channel, message, ...fields })
}

/** Makes a channel command. @returns the `data` of its reply. */
export function command (connection: Connection, name: string, fields: object): Promise<Frame> {
  return connection.must({ type: 'command', command: name, ...fields })
}
