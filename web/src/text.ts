import { load, save } from './keep.ts'
import { en } from './text/en.ts'

/** Every text of the app. A language is one file that has all of them. */
export type Text = typeof en

/** The languages by their tag, with their own names. English is part of the app, others are loaded when they are chosen. */
export const languages: Record<string, { name: string, load (): Promise<Text> }> = {
  en: { name: 'English', load: async () => en },
  de: { name: 'Deutsch', load: async () => (await import('./text/de.ts')).de }
}

/** The texts of the chosen language. */
export let t: Text = en
/** The tag of the chosen language, for dates and numbers too. */
export let language = 'en'

/** Loads the texts of the language that was chosen here, or that the browser prefers. Call it before anything is rendered. */
export async function loadText (): Promise<void> {
  language = load('language', value => typeof value === 'string' && value in languages ? value : preferred())
  t = await languages[language]!.load()
  document.documentElement.lang = language
}

/** Chooses a language, and loads the page anew in it. */
export function chooseLanguage (tag: string): void {
  save('language', tag)
  location.reload()
}

function preferred (): string {
  return navigator.languages.map(tag => tag.split('-')[0]!.toLowerCase()).find(tag => tag in languages) ?? 'en'
}
