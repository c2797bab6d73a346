import type { Channel, Routes } from '@parley/client'
import { useMemo } from 'preact/hooks'
import { t } from '../text.ts'
import { LogLine } from './log-line.tsx'
import { createPages } from './pages.ts'
import { PagedList } from './paged-list.tsx'
import { PersonName } from './person-name.tsx'
import { usePoll } from './poll.ts'
import { rosterOf } from './roster.ts'

const PAGE = 50

type Line = Routes['GET /api/channels/:name/log']['answer']['log'][number]

/** The acts of moderators in a channel, the newest first. */
export function ModerationLog ({ channel }: { channel: Channel }) {
  const pages = useMemo(() => createPages<Line>(async cursor => {
    const { log, next_cursor: next } = await channel.moderate.log({ limit: PAGE, ...cursor !== undefined && { cursor } })
    return { items: log, next }
  }), [channel])
  // An act of this moderator changes the roster.
  usePoll(pages.refresh, rosterOf(channel).value)
  return (
    <PagedList pages={pages} empty={t.moderation.emptyLog}>
      {lines => <ol class='log-lines'>{lines.map(line => <ChannelLogLine key={line.id} line={line} channel={channel} />)}</ol>}
    </PagedList>
  )
}

function ChannelLogLine ({ line, channel }: { line: Line, channel: Channel }) {
  const { action, expires_at: until } = line
  return (
    <LogLine
      line={line}
      text={(t.moderation.log as Record<string, string>)[action] ?? t.moderation.unknownAct(action)}
      person={id => <PersonName id={id} channel={channel} />}
      isForever={action === 'ban_user' && !until}
      // The reason of what was done about a report is the report's id.
      hasReason={!action.startsWith('settle_report')}
    />
  )
}
