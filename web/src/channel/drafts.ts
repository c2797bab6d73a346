import { signal, type Signal } from '@preact/signals'
import { parley } from '../client.ts'
import { load, save } from '../keep.ts'

// Texts that people have begun to write, one for each channel and person who uses this browser.

const drafts = new Map<string, Signal<string>>()

/** The draft in a channel, or ''. It is a signal's value: who reads it while rendering renders anew when it changes. */
export function draftOf (channelName: string): string {
  return find(channelName).draft.value
}

/** Keeps a draft, also across reloads. An empty text removes it. */
export function setDraft (channelName: string, text: string): void {
  const { key, draft } = find(channelName)
  draft.value = text
  save(key, text === '' ? undefined : text)
}

function find (channelName: string): { key: string, draft: Signal<string> } {
  const key = `draft:${parley.account.getSnapshot()?.user_id ?? 'guest'}:${channelName}`
  let draft = drafts.get(key)
  if (!draft) drafts.set(key, draft = signal(load(key, value => typeof value === 'string' ? value : '')))
  return { key, draft }
}
