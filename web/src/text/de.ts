import type { Text } from '../text.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('de')} ${count === 1 ? one : many}`
const listOf = (parts: string[]): string => new Intl.ListFormat('de').format(parts)
const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`

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
    log: 'Neue Nachrichten',
    today: 'Heute',
    yesterday: 'Gestern',
    new: 'Neu',
    gap: 'Hier fehlen Nachrichten. Sie werden geladen.',
    beginning: channel => `Hier beginnt #${channel}. Sag Hallo.`,
    directBeginning: name => `Hier beginnt deine Unterhaltung mit ${name}.`,
    jumpToEnd: 'Zum Neuesten',
    newMessages: count => `${count > 99 ? '99+' : count} neue ${count === 1 ? 'Nachricht' : 'Nachrichten'}`,
    olderFailed: 'Ältere Nachrichten konnten nicht geladen werden.',
    noMessage: 'Diese Nachricht gibt es nicht oder nicht mehr.',
    messageBy: (name, time) => `${name}, ${time}`,
    deleted: 'Diese Nachricht wurde gelöscht.',
    onlyData: 'Diese Nachricht hat Daten für ein Programm und keinen Text.',
    edited: '(bearbeitet)',
    originalGone: 'Die ursprüngliche Nachricht ist nicht mehr da.',
    showOriginal: 'Die ursprüngliche Nachricht zeigen',
    actions: 'Aktionen',
    react: 'Reagieren',
    ownReaction: 'Anderes Emoji oder Wort',
    reactedBy: (names, others, reaction) =>
      `${reaction} von ${listOf(others > 0 ? [...names, plural(others, 'anderen', 'anderen')] : names)}`,
    someone: 'jemandem',
    reply: 'Antworten',
    replyingTo: 'Antwort an',
    cancelReply: 'Nicht antworten',
    edit: 'Bearbeiten',
    editing: 'Die Nachricht bearbeiten',
    copyText: 'Text kopieren',
    copyLink: 'Link kopieren',
    copied: 'Kopiert.',
    report: 'Melden',
    reportTitle: 'Diese Nachricht melden?',
    reportText: name =>
      `Die Moderation sieht die Nachricht von ${name}, wie sie jetzt ist, und deinen Grund. ${name} erfährt nichts davon.`,
    reason: 'Grund (freiwillig)',
    reported: 'Die Moderation hat deine Meldung. Danke.',
    delete: 'Löschen',
    deleteTitle: 'Diese Nachricht löschen?',
    deleteText: 'Sie ist dann für alle weg, für immer.',
    failedMessage: 'Nicht gesendete Nachricht',
    waitingMessage: 'Nachricht, die noch gesendet wird',
    notSent: 'Nicht gesendet.',
    discard: 'Verwerfen',
    typing: names => names.length > 3
      ? `${names.length} Personen schreiben …`
      : `${listOf(names)} ${names.length === 1 ? 'schreibt' : 'schreiben'} …`,
    slowMode: seconds => `Langsamer Modus: du kannst in ${duration(seconds)} wieder schreiben.`,
    left: count => `Noch ${count} Zeichen`,
    tooLong: count => `${plural(count, 'Zeichen', 'Zeichen')} zu lang`,
    muted: until => `Du bist hier bis ${until} stumm geschaltet: du kannst lesen, aber nicht schreiben.`,
    banned: (channel, until, reason) =>
      `Du bist aus #${channel} ausgeschlossen${until ? `, bis ${until}` : ''}.${reason ? ` Grund: ${reason}` : ''}`,
    notIn: channel => `Du bist nicht mehr in #${channel}.`,
    joinAgain: 'Wieder beitreten',
    noChannel: channel => `Es gibt keinen Kanal #${channel}, oder er ist nicht für dich offen.`,
    notAllowed: channel => `#${channel} ist nicht für dich offen.`
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
