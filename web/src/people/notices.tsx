// Tells people at once what moderators do to them, wherever they are in the app.
import { parley } from '../client.ts'
import { openModeration } from '../dialogs.ts'
import { route, type Route } from '../route.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { toast } from '../ui/toast.tsx'
import { countReports } from './open-reports.ts'
import { moment } from './times.ts'

parley.on('invited_to_channel', ({ channel }) => tell(t.people.youAreInvited(`#${channel}`), channel))
parley.on('unbanned_from_channel', ({ channel }) => tell(t.people.youAreUnbanned(`#${channel}`), channel))
parley.on('unmuted_in_channel', ({ channel }) => tell(t.people.youAreUnmuted(`#${channel}`), channel))
parley.on('muted_in_channel', ({ channel, expires_at: until }) => tell(t.people.youAreMutedIn(`#${channel}`, moment(until)), channel))
// A channel that is shown says these two by itself.
parley.on('kicked_from_channel', ({ channel }) => { if (!isShown(channel)) tell(t.people.youWereRemoved(`#${channel}`)) })
parley.on('banned_from_channel', ({ channel }) => { if (!isShown(channel)) tell(t.people.youAreBanned(`#${channel}`)) })
parley.on('report_filed', ({ channel }) => {
  // The number is wrong until somebody looks.
  countReports({ name: channel }).catch(() => {})
  toast(
    <>
      {t.people.newReport(`#${channel}`)}{' '}
      <Button kind='link' onClick={() => openModeration(parley.channel(channel))}>{t.people.look}</Button>
    </>
  )
})

/** Shows a line, with a link to the channel `name` unless it is shown anyway. */
function tell (text: string, name?: string): void {
  const to: Route | undefined = name === undefined || isShown(name) ? undefined : { view: 'channel', name }
  toast(<><bdi>{text}</bdi> {to && <Link to={to}>{t.people.open}</Link>}</>)
}

function isShown (name: string): boolean {
  const shown = route.value
  return shown.view === 'channel' && shown.name === name
}
