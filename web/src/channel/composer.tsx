import { t } from '../text.ts'
import { IconButton } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import type { ChannelProps } from './channel-header.tsx'

export function Composer ({ channel, state: { details } }: ChannelProps) {
  const label = t.channel.placeholder(details?.peer?.username ?? `#${channel.name}`)

  function submit (event: SubmitEvent): void {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const text = String(new FormData(form).get('text')).trim()
    if (text === '') return
    form.reset()
    channel.send(text).catch((error: unknown) => toast(errorText(error)))
  }

  return (
    <form class='composer' onSubmit={submit}>
      <textarea name='text' rows={1} dir='auto' aria-label={label} placeholder={label} />
      <IconButton type='submit' icon='send' label={t.channel.send} />
    </form>
  )
}
