import { useSignal } from '@preact/signals'
import { t } from '../text.ts'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { duration } from './times.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const choices = [600, HOUR, DAY, 7 * DAY]
const units = { minutes: 60, hours: HOUR, days: DAY }
type Unit = keyof typeof units

/** The choice that means no end, and the one of a duration of one's own. */
const FOREVER = 'forever'
const OWN = 'own'

/**
 * Asks how long something lasts; `durationIn` reads the answer from the form. `most`: seconds. `canBeForever`: without an end, which is
 * then the first choice.
 */
export function DurationField ({ most, canBeForever }: { most: number, canBeForever: boolean }) {
  const choice = useSignal(canBeForever ? FOREVER : String(HOUR))
  const unit = useSignal<Unit>('days')
  return (
    <>
      <Select
        label={t.moderation.howLong} name='duration' value={choice.value} onChange={value => { choice.value = value }}
        options={[
          ...canBeForever ? [[FOREVER, t.moderation.forever] as const] : [],
          ...choices.map(seconds => [String(seconds), duration(seconds)] as const),
          [OWN, t.moderation.ownDuration]
        ]}
      />
      {choice.value === OWN && (
        <div class='own-duration'>
          <Field label={t.moderation.number} name='number' type='number' min={1} max={Math.floor(most / units[unit.value])} required />
          <Select
            label={t.moderation.unit} name='unit' value={unit.value} onChange={value => { unit.value = value as Unit }}
            options={Object.entries(t.moderation.units)}
          />
        </div>
      )}
    </>
  )
}

/** Returns the seconds that were chosen in a form, undefined for no end. */
export function durationIn (form: FormData): number | undefined {
  const choice = form.get('duration')
  if (choice === FOREVER) return undefined
  if (choice !== OWN) return Number(choice)
  return Number(form.get('number')) * units[form.get('unit') as Unit]
}
