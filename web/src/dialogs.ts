// The dialogs that the chat opens. Their script is loaded when the first of them is opened.
import { laterCall } from './ui/later.tsx'

const load = () => import('./more.ts')

export const confirm = laterCall(async () => (await load()).confirm)
export const openCard = laterCall(async () => (await load()).openCard)
export const openChannelSettings = laterCall(async () => (await load()).openChannelSettings)
export const openCreateChannel = laterCall(async () => (await load()).openCreateChannel)
export const openDeleteMessage = laterCall(async () => (await load()).openDeleteMessage)
export const openInvite = laterCall(async () => (await load()).openInvite)
export const openJump = laterCall(async () => (await load()).openJump)
export const openModeration = laterCall(async () => (await load()).openModeration)
export const openNewDirect = laterCall(async () => (await load()).openNewDirect)
export const openReport = laterCall(async () => (await load()).openReport)
export const openShortcuts = laterCall(async () => (await load()).openShortcuts)
