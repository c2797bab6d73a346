import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Empty } from '../ui/empty.tsx'
import type { ChannelProps } from './channel-header.tsx'

export function MessageList ({ state: { messages, outbox } }: ChannelProps & { at: string | undefined }) {
  if (messages.length + outbox.length === 0) return <Empty icon='hash'><p>{t.channel.empty}</p></Empty>
  return (
    <div class='messages' role='log' aria-label={t.channel.log}>
      {messages.map(message => (
        <div class='message' key={message.id}>
          <Avatar id={message.user_id} name={message.username} />
          <div><b dir='auto'>{message.username}</b><p dir='auto'>{message.message}</p></div>
        </div>
      ))}
      {outbox.map(({ clientId, text, state }) => <p key={clientId} class={state} dir='auto'>{text}</p>)}
    </div>
  )
}
