import { laterCall, partOf } from './ui/later.tsx'

/** The parts of the chat that it does not show at first. */
export const more = partOf(() => import('./more.ts'))

export const confirm = laterCall(more, module => module.confirm)
export const openCard = laterCall(more, module => module.openCard)
export const openChannelSettings = laterCall(more, module => module.openChannelSettings)
export const openCreateChannel = laterCall(more, module => module.openCreateChannel)
export const openDeleteMessage = laterCall(more, module => module.openDeleteMessage)
export const openInvite = laterCall(more, module => module.openInvite)
export const openJump = laterCall(more, module => module.openJump)
export const openModeration = laterCall(more, module => module.openModeration)
export const openNewDirect = laterCall(more, module => module.openNewDirect)
export const openReport = laterCall(more, module => module.openReport)
export const openShortcuts = laterCall(more, module => module.openShortcuts)
