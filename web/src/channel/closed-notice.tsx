import type { ParleyError } from '@parley/client'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { errorText } from '../ui/error-text.ts'
import { Icon } from '../ui/icon.tsx'
import { bans } from './bans.ts'
import { useTalk } from './talk.ts'
import { untilOf } from './times.ts'

/** Says why a channel is closed, and offers what can be done. `isWhole`: it stands in place of the messages. */
export function ClosedNotice ({ error, isWhole = false }: { error: ParleyError | undefined, isWhole?: boolean }) {
  const { channel } = useTalk()
  const text = textOf(channel.name, error)
  const isOver = error !== undefined && ['banned', 'channel_not_found', 'not_authorized', 'blocked'].includes(error.code)
  const act = isOver
    ? <Link class='button' to={{ view: 'browse' }}>{t.shell.browse}</Link>
    : <Button onClick={reopen}>{error?.code === 'not_in_channel' ? t.channel.joinAgain : t.common.retry}</Button>

  function reopen (): void {
    // The view keeps the channel open: opening it once more tries again.
    const close = channel.open()
    close()
  }

  const icon = error?.code === 'banned' ? 'block' : 'lock'
  if (isWhole) return <div class='closed' role='status'><Empty icon={icon}><p>{text}</p>{act}</Empty></div>
  return <div class='notice' role='status'><Icon name={icon} /><p>{text}</p>{act}</div>
}

function textOf (name: string, error: ParleyError | undefined): string {
  switch (error?.code) {
    case 'banned': {
      const { reason, until } = bans.value[name] ?? {}
      return t.channel.banned(name, until ? untilOf(Date.parse(until)) : undefined, reason ?? undefined)
    }
    case 'not_in_channel': return t.channel.notIn(name)
    case 'channel_not_found': return t.channel.noChannel(name)
    case 'not_authorized': return t.channel.notAllowed(name)
    default: return errorText(error)
  }
}
