const isMac = /Mac|iP(hone|ad)/.test(navigator.platform)

/** The keys that open the dialog to jump anywhere, as people see them. */
export const JUMP_KEYS = isMac ? '⌘ K' : 'Ctrl K'
