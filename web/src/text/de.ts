import type { Text } from '../text.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('de')} ${count === 1 ? one : many}`

export const de: Text = {
  common: {
    app: 'Parley',
    cancel: 'Abbrechen',
    close: 'Schließen',
    save: 'Speichern',
    retry: 'Noch einmal',
    more: 'Mehr',
    loading: 'Lädt …',
    back: 'Zurück',
    you: 'du',
    somethingWrong: 'Etwas ist schiefgegangen',
    notFound: 'Hier ist nichts.',
    people: count => plural(count, 'Person', 'Personen')
  },
  entry: {
    welcome: 'Miteinander reden',
    logIn: 'Anmelden',
    register: 'Konto anlegen',
    logOut: 'Abmelden',
    email: 'E-Mail',
    password: 'Passwort',
    name: 'Name',
    newHere: 'Neu hier?',
    haveAccount: 'Schon ein Konto?'
  },
  shell: {
    channels: 'Kanäle',
    directs: 'Direktnachrichten',
    invitations: 'Einladungen',
    browse: 'Kanäle entdecken',
    settings: 'Einstellungen',
    skipToMain: 'Zum Gespräch springen',
    unread: count => plural(count, 'ungelesene Nachricht', 'ungelesene Nachrichten')
  },
  channel: {
    placeholder: channel => `Nachricht an ${channel}`,
    send: 'Senden',
    log: 'Nachrichten',
    empty: 'Hier hat noch niemand etwas gesagt.'
  },
  people: {
    here: 'Gerade hier'
  },
  settings: {
    theme: 'Farben',
    system: 'Wie das Gerät',
    light: 'Hell',
    dark: 'Dunkel',
    language: 'Sprache'
  },
  admin: {
    title: 'Verwaltung'
  },
  errors: {
    offline: 'Es gibt keine Verbindung zum Server.',
    timeout: 'Der Server hat nicht rechtzeitig geantwortet.',
    outbox_full: 'Zu viele Nachrichten warten. Warte, bis einige gesendet sind.',
    authentication_failed: 'E-Mail oder Passwort ist falsch.',
    rate_limited: 'Das war zu viel auf einmal. Warte einen Moment.'
  }
}
