// What reading and writing does not need: dialogs, and views beside the channels. It is one part, loaded when the first of it is wanted,
// because many small parts compress badly.
export { openDelete, openReport } from './channel/message-dialogs.tsx'
export { openCard } from './people/card.tsx'
export { PeoplePanel } from './people/people-panel.tsx'
export { BrowseView } from './shell/browse-view.tsx'
export { openCreateChannel } from './shell/create-channel-dialog.tsx'
export { openInvite } from './shell/invite-dialog.tsx'
export { openJump } from './shell/jump-dialog.tsx'
export { openNewDirect } from './shell/new-direct-dialog.tsx'
export { SearchView } from './shell/search-view.tsx'
export { openShortcuts } from './shell/shortcuts-dialog.tsx'
