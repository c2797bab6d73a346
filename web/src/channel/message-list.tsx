import type { ChannelState } from '@parley/client'
import { useSignalEffect } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { Virtualizer } from 'virtua'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Loading } from '../ui/loading.tsx'
import { Beginning } from './separators.tsx'
import { createRows, keyOf, type Row } from './rows.ts'
import { MessageItem } from './message-item.tsx'
import { OutgoingItem } from './outgoing-item.tsx'
import { useTalk } from './talk.ts'
import { focusRow, useListKeys } from './use-list-keys.ts'
import { usePlace } from './use-place.ts'
import { useTarget } from './use-target.ts'
import { useUnreadLine } from './use-unread-line.ts'

/** The messages of a channel. `at`: the id of the one that it opens at. */
export function MessageList ({ state, at }: { state: ChannelState, at: string | undefined }) {
  const talk = useTalk()
  const { channel } = talk
  const me = parley.account.getSnapshot()?.user_id
  const rowsOf = useMemo(createRows, [channel])
  const line = useUnreadLine(channel, state)
  const all = useMemo(() => rowsOf(state, line.at, me), [state.messages, state.outbox, state.gap, state.hasOlder, line.at])
  const hasLine = useMemo(() => line.at !== undefined && all.some(row => 'message' in row && row.isNew), [all])
  const place = usePlace(channel, all, ({ isAtEnd, last }) => {
    if (document.visibilityState === 'visible' && last) {
      if (isAtEnd) channel.markRead()
      else if ('message' in last) channel.markRead(last.message.seq)
    }
    line.follow(isAtEnd, hasLine)
    restoreFocus()
  })
  const { rows, list, scroller, isShift, isAtEnd, loading, onScroll, onResize, toEnd, retry } = place
  const isOpened = useRef(false)
  useLayoutEffect(() => {
    if (isOpened.current || rows.length === 0 || state.state !== 'live') return
    isOpened.current = true
    const unread = rows.find(row => 'message' in row && row.isNew)
    if (unread && at === undefined) place.toRow(keyOf(unread), 'start')
  }, [rows.length, state.state])
  // A message that comes to the end of the list is shown with the next frame. It counts as read at once, because the sidebar and the title
  // would otherwise show it as unread for one frame.
  useEffect(() => channel.subscribe(() => {
    if (isOpened.current && isAtEnd.peek() && document.visibilityState === 'visible') channel.markRead()
  }), [channel])
  talk.jumpToEnd = toEnd
  useTarget(at, state.state === 'live', place.toRow)
  const { onKeyDown, restoreFocus } = useListKeys(place.rows, key => place.toRow(key, 'nearest'))
  useSignalEffect(() => {
    // A message that is edited must not lose the focus when it is scrolled out of sight.
    if (talk.editing.value) talk.active.value = talk.editing.value.id
  })
  useEffect(() => () => { talk.active.value = undefined }, [])

  /** The list itself takes the focus if no message has had it yet, or if that one is gone. */
  function onFocus (event: FocusEvent): void {
    const last = place.lastInSight()
    if (event.target !== scroller.current || !last) return
    talk.active.value = keyOf(last)
    focusRow(keyOf(last))
  }

  const { value: activeKey } = talk.active
  const active = useMemo(() => activeKey === undefined ? -1 : rows.findLastIndex(row => keyOf(row) === activeKey), [rows, activeKey])
  const isEmpty = rows.length === 0
  if (isEmpty && (state.state === 'joining' || state.state === 'idle')) return <div class='messages'><Loading /></div>
  return (
    <div class='messages-frame'>
      <div ref={scroller} class='messages' tabIndex={active === -1 ? 0 : -1} onKeyDown={onKeyDown} onFocus={onFocus}>
        {isEmpty && <Beginning details={state.details} />}
        <Virtualizer
          ref={list} data={rows} as='ul' item='li' itemSize={28} bufferSize={600} shift={isShift}
          keepMounted={active === -1 ? [] : [active]} onScroll={onScroll} onResize={onResize}
        >
          {(row: Row) => 'message' in row
            ? <MessageItem key={keyOf(row)} row={row} />
            : <OutgoingItem key={keyOf(row)} row={row} />}
        </Virtualizer>
      </div>
      {loading.value === 'yes' && <div class='loading-older'><span class='spinner' role='img' aria-label={t.common.loading} /></div>}
      {loading.value === 'full' && <div class='loading-older'>{t.channel.full}</div>}
      {loading.value === 'failed' && (
        <div class='loading-older' role='alert'>
          {t.channel.olderFailed} <Button kind='link' onClick={retry}>{t.common.retry}</Button>
        </div>
      )}
      {!isAtEnd.value && <JumpToEnd unread={state.unread} onClick={toEnd} />}
    </div>
  )
}

function JumpToEnd ({ unread, onClick }: { unread: number, onClick (): void }) {
  return (
    <button type='button' class='latest' onClick={onClick}>
      <Icon name='down' />{unread > 0 ? t.channel.newMessages(unread) : t.channel.jumpToEnd}
    </button>
  )
}
