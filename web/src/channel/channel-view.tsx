import { useLayoutEffect, useMemo } from 'preact/hooks'
import { Announcer } from './announcer.tsx'
import { ChannelHeader } from './channel-header.tsx'
import { ClosedNotice } from './closed-notice.tsx'
import { Composer } from './composer.tsx'
import { MessageList } from './message-list.tsx'
import { MutedNotice } from './muted-notice.tsx'
import { createTalk, TalkContext } from './talk.ts'
import { TypingLine } from './typing-line.tsx'
import { useChannelState } from './use-channel-state.ts'
import { useMoment } from './use-moment.ts'

/** A channel: its head, its messages, and the field to write in. `message`: the id of a message that it opens at. */
export function ChannelView ({ name, message }: { name: string, message: string | undefined }) {
  const { channel, state } = useChannelState(name)
  const talk = useMemo(() => createTalk(channel), [channel])
  const { details, messages, outbox } = state
  const mutedUntil = useMoment(details?.me.muted_until)
  const isClosed = state.state === 'closed'
  const mayWrite = !isClosed && mutedUntil === undefined
  useLayoutEffect(() => {
    talk.place.value = details
    talk.mayWrite.value = mayWrite
  }, [talk, details, mayWrite])

  return (
    <TalkContext.Provider value={talk}>
      <section class='channel' aria-label={details?.peer?.username ?? name}>
        <ChannelHeader channel={channel} state={state} />
        {isClosed && messages.length + outbox.length === 0
          ? <ClosedNotice error={state.error} isWhole />
          : <MessageList state={state} at={message} />}
        <Announcer state={state} />
        <footer class='writing'>
          {isClosed && messages.length + outbox.length > 0 && <ClosedNotice error={state.error} />}
          {!isClosed && mutedUntil !== undefined && <MutedNotice until={mutedUntil} />}
          {mayWrite && <Composer state={state} isAtMessage={message !== undefined} />}
          {!isClosed && <TypingLine typing={state.typing} />}
        </footer>
      </section>
    </TalkContext.Provider>
  )
}
