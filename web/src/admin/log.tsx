import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { Sentence } from '../people/sentence.tsx'
import { exactly, moment } from '../people/times.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { readLog, type Line, type Wanted } from './log-pages.ts'
import { Name } from './name.tsx'
import { a } from './text.ts'

const HOUR = 3_600_000
const SPANS = [['hour', HOUR], ['day', 24 * HOUR], ['week', 7 * 24 * HOUR], ['month', 30 * 24 * HOUR]] as const
/** Milliseconds without a key after which the log is read for another channel. */
const PAUSE = 300

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The acts by their names in the log, as sentences. */
const sentences: Record<string, string> = { ...t.moderation.log, ...a.log.acts }

/** What moderators and administrators did, everywhere, the newest first. */
export function Log () {
  const wanted = useSignal<Wanted>({ channel: '', person: '', action: '', within: 0 })
  const shown = wanted.value
  const pages = useMemo(() => createPages<Line>(cursor => readLog(shown, cursor)), [shown])
  useEffect(() => {
    const timer = setTimeout(pages.refresh, shown.channel === '' ? 0 : PAUSE)
    return () => clearTimeout(timer)
  }, [pages])
  const want = (change: Partial<Wanted>): void => { wanted.value = { ...wanted.value, ...change } }
  return (
    <>
      <div class='admin-filters'>
        <Field
          label={a.log.channel} type='search' value={shown.channel} autocomplete='off' spellcheck={false}
          onInput={event => want({ channel: event.currentTarget.value.trim().replace(/^#/, '').toLowerCase() })}
        />
        <Select
          label={a.log.action} name='action' value={shown.action} onChange={action => want({ action })}
          options={[['', a.log.everything], ...Object.keys(sentences).map(act => [act, actName(act)] as const)]}
        />
        <Select
          label={a.log.within} name='within' value={String(shown.within)} onChange={within => want({ within: Number(within) })}
          options={[['0', a.log.always], ...SPANS.map(([span, length]) => [String(length), a.log.spans[span]] as const)]}
        />
      </div>
      {shown.person !== '' && (
        <p>
          <Sentence text={a.log.onlyPerson} parts={{ person: <Name id={shown.person} /> }} />{' '}
          <Button kind='link' onClick={() => want({ person: '' })}>{a.log.allPeople}</Button>
        </p>
      )}
      <PagedList pages={pages} empty={a.log.none}>
        {lines => (
          <ol class='log-lines'>{lines.map(line => <LogLine key={line.id} line={line} onPerson={person => want({ person })} />)}</ol>
        )}
      </PagedList>
    </>
  )
}

/** Returns a sentence of an act without the people in it, for the list of acts. */
function actName (act: string): string {
  return a.log.names[act as keyof typeof a.log.names] ?? act.replaceAll('_', ' ')
}

function LogLine ({ line, onPerson }: { line: Line, onPerson (id: string): void }) {
  const { actor_id: actor, target_id: target, channel, action, reason, expires_at: until, created_at: at } = line
  const person = (id: string) => <Name id={id} label={a.log.only} onChoose={onPerson} />
  // Some lines have there the id of what they are about, such as a report.
  const isReason = reason !== null && !UUID.test(reason)
  return (
    <li>
      <time dateTime={at} title={exactly(at)} class='soft small'>{moment(at)}</time>
      <div>
        <Sentence
          text={sentences[action] ?? t.moderation.unknownAct(action)}
          parts={{
            actor: actor ? person(actor) : <b>{t.moderation.operator}</b>,
            target: target ? person(target) : <b>{t.people.somebody}</b>
          }}
        />
        {channel && <> <span class='tag'>#{channel}</span></>}
        {until && <p class='soft small'>{t.moderation.until(moment(until))}</p>}
        {isReason && <p class='soft small' dir='auto'>{t.people.reason(reason)}</p>}
      </div>
    </li>
  )
}
