import { load, save } from './keep.ts'
import { en } from './text/en.ts'
import type { enMore } from './text/en-more.ts'

export type FirstText = typeof en
export type MoreText = typeof enMore

/**
 * The languages by their tag, with their own names. Each is two files: the texts that the chat shows at first, and those of the parts that
 * are loaded later. The first texts in English are part of the app, all others are loaded when they are needed.
 */
export const languages: Record<string, { name: string, load (): Promise<FirstText>, loadMore (): Promise<MoreText> }> = {
  en: {
    name: 'English',
    load: async () => en,
    loadMore: async () => (await import('./text/en-more.ts')).enMore
  },
  de: {
    name: 'Deutsch',
    load: async () => (await import('./text/de.ts')).de,
    loadMore: async () => (await import('./text/de-more.ts')).deMore
  }
}

/** The texts of the chosen language. Those of parts that are loaded later are there once `loadMoreText` has loaded them. */
export const t = {} as FirstText & MoreText
/** The tag of the chosen language, for dates and numbers too. */
export let language = 'en'

/** Loads the first texts of the language that was chosen here, or that the browser prefers. Call it before anything is rendered. */
export async function loadText (): Promise<void> {
  language = load('language', value => typeof value === 'string' && value in languages ? value : preferred())
  Object.assign(t, await languages[language]!.load())
  document.documentElement.lang = language
}

/** Loads the texts of the parts that are loaded later. `later` and `laterCall` do it. */
export async function loadMoreText (): Promise<void> {
  Object.assign(t, await languages[language]!.loadMore())
}

/** Chooses a language, and loads the page anew in it. */
export function chooseLanguage (tag: string): void {
  save('language', tag)
  location.reload()
}

function preferred (): string {
  return navigator.languages.map(tag => tag.split('-')[0]!.toLowerCase()).find(tag => tag in languages) ?? 'en'
}
