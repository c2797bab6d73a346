import { callAs } from './demo.ts'

interface Message { id: string, message: string | null, reply_to?: string }
interface Page<T> { messages: T[] }

export type Places = Awaited<ReturnType<typeof preparePlaces>>

/** Makes the states that the still demo does not have, and returns the channels, people and messages that the views show. */
export async function preparePlaces (url: string) {
  const [admin, moderator, member] = await Promise.all(['admin', 'moderator', 'member'].map(name => callAs(url, `${name}@demo.example`)))
  const longName = 'saturday-repair-cafe-and-tool-library-planning'
  const [empty, muted, notJoined] = ['reading-room', 'random', 'francais']
  await admin!.call('POST', '/api/channels', {
    name: empty, channel_type: 'public', topic: 'For whoever wants to sit together and read quietly'
  })
  for (const name of [longName, 'al-maqha', 'code-review', muted]) {
    await member!.call('PUT', `/api/channels/${name}/members/${member!.id}`)
    await moderator!.call('PUT', `/api/channels/${name}/members/${moderator!.id}`)
  }
  await admin!.call('PUT', `/api/channels/${muted}/mutes/${member!.id}`, { duration: 5400 })
  await member!.call('DELETE', `/api/channels/${notJoined}/members/${member!.id}`)

  /** Finds the newest of the last messages of a channel that is so. */
  async function find (channel: string, isIt: (message: Message) => boolean): Promise<string> {
    const { messages } = await member!.call<Page<Message>>('GET', `/api/channels/${channel}/messages?limit=100`)
    return (messages.findLast(isIt) ?? messages.at(-1)!).id
  }

  return {
    longName,
    empty,
    muted,
    notJoined,
    /** Somebody who has a direct channel with the member. */
    direct: admin!.id,
    reply: await find('general', ({ reply_to: replyTo }) => replyTo !== undefined),
    code: await find('code-review', ({ message }) => message?.includes('```') ?? false)
  }
}
