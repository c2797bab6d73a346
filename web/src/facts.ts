/** The facts about the server, which it writes into the page. Must equal `factsOf` in src/routes/web.ts. */
export interface Facts {
  /** The channel that always exists. */
  defaultRoom: string
  /** Unicode code points. */
  maxMessageLength: number
  registration: 'open' | 'invite' | 'closed'
  /** People may take part without an account. */
  guests: boolean
  /** There are accounts at all. */
  accounts: boolean
  /** People may find each other by name and handle. */
  directory: boolean
}

export const facts = JSON.parse(document.querySelector<HTMLMetaElement>('meta[name=parley]')!.content) as Facts
