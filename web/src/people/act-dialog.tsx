import type { Channel, Person } from '@parley/client'
import { t } from '../text.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import { openDialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { toast } from '../ui/toast.tsx'
import { DurationField, durationIn } from './duration-field.tsx'
import { refreshRoster } from './roster.ts'

const YEAR = 31_536_000
/** Code points that the server takes as a reason. */
const MAX_REASON = 500

/** An act of a moderator on a person in a channel. */
export type Act = 'kick' | 'mute' | 'unmute' | 'ban' | 'unban' | 'addModerator' | 'removeModerator'

/** The acts that ask for a duration, with the longest one that the server takes, in seconds. */
const longest: Partial<Record<Act, number>> = { mute: YEAR, ban: 10 * YEAR }
const gentle: Act[] = ['unmute', 'unban', 'addModerator']

/** Asks a moderator once more, says what will happen and to whom, and does it. `onDone` is called when it is done. */
export function openAct (act: Act, channel: Channel, person: Person, onDone?: () => void): void {
  const { title, about, button, done } = t.moderation.acts[act]
  const { username: name } = person
  const where = `#${channel.name}`

  async function submit (form: FormData): Promise<void> {
    await perform(act, channel, person.user_id, form)
    toast(done(name, where))
    // The act is done. If the roster cannot be read now, it is read the next time that somebody looks at it.
    refreshRoster(channel).catch(() => {})
    onDone?.()
  }

  openDialog(close => (
    <FormDialog title={title(name)} button={button} isDanger={!gentle.includes(act)} act={submit} onClose={close}>
      <p dir='auto'>{about(name, where)}</p>
      {longest[act] !== undefined && <DurationField most={longest[act]} canBeForever={act === 'ban'} />}
      {act === 'ban' && <Field label={t.moderation.reason} hint={t.moderation.reasonHint} name='reason' maxLength={MAX_REASON} />}
    </FormDialog>
  ))
}

async function perform (act: Act, { moderate }: Channel, userId: string, form: FormData): Promise<void> {
  const duration = longest[act] === undefined ? undefined : durationIn(form)
  const given = duration === undefined ? {} : { duration }
  if (act === 'ban') {
    const reason = String(form.get('reason')).trim()
    await moderate.ban(userId, { ...given, ...reason && { reason } })
  } else if (act === 'mute') {
    await moderate.mute(userId, given)
  } else {
    await moderate[act](userId)
  }
}
