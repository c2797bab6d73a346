import { signal } from '@preact/signals'
import { load, save } from '../keep.ts'

type Drafts = Readonly<Record<string, string>>

const drafts = signal<Drafts>(load('drafts', value => value !== null && typeof value === 'object' ? value as Drafts : {}))

/** Returns the text that was begun in a channel, empty if there is none. */
export function draftOf (name: string): string {
  return drafts.value[name] ?? ''
}

/** Keeps the text that was begun in a channel. */
export function setDraft (name: string, text: string): void {
  const { [name]: before, ...others } = drafts.value
  drafts.value = text === '' ? others : { ...others, [name]: text }
  save('drafts', drafts.value)
}
