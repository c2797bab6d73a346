import { language } from '../text.ts'
import { en } from './text/admin-en.ts'

/** Every text of the console. The chat's texts do not have them, because few people ever see the console. */
export type AdminText = typeof en

const others: Record<string, () => Promise<AdminText>> = {
  de: async () => (await import('./text/admin-de.ts')).de
}

/** The texts of the console in the language that the app has. */
export const a: AdminText = await others[language]?.() ?? en
