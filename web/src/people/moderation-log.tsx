import type { Channel, Routes } from '@parley/client'
import { useMemo } from 'preact/hooks'
import { t } from '../text.ts'
import { createPages } from './pages.ts'
import { PagedList } from './paged-list.tsx'
import { PersonName } from './person-name.tsx'
import { usePoll } from './poll.ts'
import { rosterOf } from './roster.ts'
import { Sentence } from './sentence.tsx'
import { exactly, moment } from './times.ts'

const PAGE = 50

type Line = Routes['GET /api/channels/:name/log']['answer']['log'][number]

/** What moderators did in a channel, the newest first. */
export function ModerationLog ({ channel }: { channel: Channel }) {
  const pages = useMemo(() => createPages<Line>(async cursor => {
    const { log, next_cursor: next } = await channel.moderate.log({ limit: PAGE, ...cursor !== undefined && { cursor } })
    return { items: log, next }
  }), [channel])
  // An act of this moderator changes the roster.
  usePoll(pages.refresh, rosterOf(channel).value)
  return (
    <PagedList pages={pages} empty={t.moderation.emptyLog}>
      {lines => <ol class='log-lines'>{lines.map(line => <LogLine key={line.id} line={line} channel={channel} />)}</ol>}
    </PagedList>
  )
}

function LogLine ({ line, channel }: { line: Line, channel: Channel }) {
  const { actor_id: actor, target_id: target, action, reason, expires_at: until, created_at: at } = line
  const text = (t.moderation.log as Record<string, string>)[action] ?? t.moderation.unknownAct(action)
  // The reason of what was done about a report is the report's id.
  const isReason = reason !== null && !action.startsWith('settle_report')
  return (
    <li>
      <time dateTime={at} title={exactly(at)} class='soft small'>{moment(at)}</time>
      <div>
        <Sentence
          text={text}
          parts={{
            actor: actor ? <PersonName id={actor} channel={channel} /> : <b>{t.moderation.operator}</b>,
            target: target ? <PersonName id={target} channel={channel} /> : <b>{t.people.somebody}</b>
          }}
        />
        {until && <p class='soft small'>{t.moderation.until(moment(until))}</p>}
        {action === 'ban_user' && !until && <p class='soft small'>{t.moderation.forever}</p>}
        {isReason && <p class='soft small' dir='auto'>{t.people.reason(reason)}</p>}
      </div>
    </li>
  )
}
