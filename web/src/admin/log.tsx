import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { LogLine } from '../people/log-line.tsx'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { Sentence } from '../people/sentence.tsx'
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

/** The log of all acts of moderators and administrators, the newest first. */
export function Log () {
  const wanted = useSignal<Wanted>({ channel: '', person: '', action: '', within: 0 })
  const shown = wanted.value
  const pages = useMemo(() => createPages<Line>(cursor => readLog(wanted.peek(), cursor)), [])
  useEffect(() => {
    const timer = setTimeout(pages.refresh, shown.channel === '' ? 0 : PAUSE)
    return () => clearTimeout(timer)
  }, [shown])
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
          <ol class='log-lines'>{lines.map(line => <AdminLogLine key={line.id} line={line} onPerson={person => want({ person })} />)}</ol>
        )}
      </PagedList>
    </>
  )
}

/** Returns a sentence of an act without the people in it, for the list of acts. */
function actName (act: string): string {
  return a.log.names[act as keyof typeof a.log.names] ?? act.replaceAll('_', ' ')
}

function AdminLogLine ({ line, onPerson }: { line: Line, onPerson (id: string): void }) {
  const { channel, action, reason } = line
  return (
    <LogLine
      line={line}
      text={sentences[action] ?? t.moderation.unknownAct(action)}
      person={id => <Name id={id} label={a.log.only} onChoose={onPerson} />}
      place={channel && <> <span class='tag'>#{channel}</span></>}
      // Some lines have there the id of what they are about, such as a report.
      hasReason={reason !== null && !UUID.test(reason)}
    />
  )
}
