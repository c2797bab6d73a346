import { useEffect, useLayoutEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { ClosedChannel } from '../people/closed-channel.tsx'
import { MutedLine, useMutedUntil } from '../people/muted.tsx'
import { settleFocus } from '../shell/landing.ts'
import { later } from '../ui/later.tsx'
import { Announcer } from './announcer.tsx'
import { ChannelHeader } from './channel-header.tsx'
import { Composer } from './composer.tsx'
import { MessageList } from './message-list.tsx'
import { isPeopleOpen } from './people-toggle.tsx'
import { TalkContext, talkOf } from './talk.ts'
import { TypingLine } from './typing-line.tsx'
import { useChannelState } from './use-channel-state.ts'

const PeoplePanel = later(async () => (await import('../more.ts')).PeoplePanel)

/** A channel: its head, its messages, and the field to write in. `message`: the id of a message that it opens at. */
export function ChannelView ({ name, message }: { name: string, message: string | undefined }) {
  const { channel, state } = useChannelState(name)
  const talk = talkOf(channel, parley.account.getSnapshot()?.user_id)
  const { details } = state
  const mutedUntil = useMutedUntil(details)
  const isClosed = state.state === 'closed'
  const mayWrite = !isClosed && mutedUntil === undefined
  const hasPeople = isPeopleOpen.value && details?.channel_type !== 'direct'
  useEffect(settleFocus, [name])
  useLayoutEffect(() => {
    talk.place.value = details
    talk.mayWrite.value = mayWrite
  }, [talk, details, mayWrite])

  return (
    <TalkContext.Provider value={talk}>
      <div class='with-people'>
        <section class='channel' aria-label={details?.peer?.username ?? name}>
          <ChannelHeader channel={channel} state={state} />
          {isClosed
            ? <ClosedChannel channel={channel} state={state} />
            : (
              <>
                <MessageList state={state} at={message} />
                <Announcer state={state} />
                <footer class='writing'>
                  {mutedUntil === undefined
                    ? <Composer state={state} isAtMessage={message !== undefined} />
                    : <MutedLine until={mutedUntil} />}
                  <TypingLine typing={state.typing} />
                </footer>
              </>
              )}
        </section>
        {hasPeople && <PeoplePanel channel={channel} state={state} onClose={() => { isPeopleOpen.value = false }} />}
      </div>
    </TalkContext.Provider>
  )
}
