import type { Routes } from '@parley/client'
import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { Sentence } from './sentence.tsx'
import { exactly, moment } from './times.ts'

type Line = Routes['GET /api/channels/:name/log']['answer']['log'][number]

/**
 * A line of a log: the time, and an act as a sentence in which `person` renders the people. `place` follows the sentence. `isForever`: the
 * act has no end. `hasReason`: the line's reason is one, and not the id of what the line is about.
 */
export function LogLine ({ line, text, person, place, isForever = false, hasReason }: {
  line: Pick<Line, 'actor_id' | 'target_id' | 'reason' | 'expires_at' | 'created_at'>, text: string, person (id: string): ComponentChildren,
  place?: ComponentChildren, isForever?: boolean, hasReason: boolean
}) {
  const { actor_id: actor, target_id: target, reason, expires_at: until, created_at: at } = line
  return (
    <li>
      <time dateTime={at} title={exactly(at)} class='soft small'>{moment(at)}</time>
      <div>
        <Sentence
          text={text}
          parts={{
            actor: actor ? person(actor) : <b>{t.moderation.operator}</b>,
            target: target ? person(target) : <b>{t.people.somebody}</b>
          }}
        />
        {place}
        {until && <p class='soft small'>{t.moderation.until(moment(until))}</p>}
        {isForever && <p class='soft small'>{t.moderation.forever}</p>}
        {reason !== null && hasReason && <p class='soft small' dir='auto'>{t.people.reason(reason)}</p>}
      </div>
    </li>
  )
}
