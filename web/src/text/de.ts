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
    notLoaded: 'Dieser Teil der App konnte nicht geladen werden.',
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
    conversations: 'Unterhaltungen',
    channels: 'Kanäle',
    directs: 'Direktnachrichten',
    invitations: 'Einladungen',
    browse: 'Kanäle entdecken',
    settings: 'Einstellungen',
    skipToMain: 'Zum Gespräch springen',
    unread: count => count > 99 ? 'mehr als 99 ungelesene Nachrichten' : plural(count, 'ungelesene Nachricht', 'ungelesene Nachrichten'),
    draft: 'Entwurf',
    waiting: 'Nachrichten warten darauf, gesendet zu werden',
    failed: 'Eine Nachricht konnte nicht gesendet werden',
    online: 'online',
    guest: 'Gast',
    noChannels: 'Du bist noch in keinem Kanal.',
    noDirects: 'Noch niemand. Mit dem Plus schreibst du jemandem.',
    invitedBy: name => `${name} lädt dich ein`,
    accept: channel => `${channel} beitreten`,
    decline: channel => `${channel} ablehnen`,
    me: 'Dein Menü',
    lightTheme: 'Helle Farben',
    darkTheme: 'Dunkle Farben',
    offline: 'Dieser Kanal öffnet sich, sobald es eine Verbindung gibt.'
  },
  browse: {
    find: 'Kanal nach Name oder Thema finden',
    joined: 'Beigetreten',
    join: channel => `${channel} beitreten`,
    joinShort: 'Beitreten',
    joinChannel: 'Kanal beitreten',
    decline: 'Ablehnen',
    notIn: 'Du bist nicht in diesem Kanal.',
    latest: 'Neueste Nachrichten',
    nothingToShow: 'Tritt bei, um zu sehen, was hier gesagt wird.',
    none: 'Es gibt noch keinen Kanal. Leg den ersten an.',
    noneFound: query => `Kein Kanal passt zu „${query}“.`,
    noChannel: 'Kein solcher Kanal',
    unknown: 'Diesen Kanal gibt es nicht, oder du bist nicht eingeladen.'
  },
  create: {
    title: 'Kanal anlegen',
    name: 'Name',
    rules: 'Kleine Buchstaben, Ziffern, - und _. Leerzeichen werden zu Strichen.',
    wrongCharacter: character => `„${character}“ geht in einem Namen nicht. Nimm a–z, 0–9, - und _.`,
    wrongStart: 'Ein Name beginnt mit einem Buchstaben oder einer Ziffer.',
    reserved: 'Namen, die mit admin-, moderator- oder direct- beginnen, sind vergeben.',
    taken: 'Einen Kanal mit diesem Namen gibt es schon.',
    type: 'Wer beitreten darf',
    public: 'Öffentlich',
    publicAbout: 'Alle finden ihn, lesen mit und treten bei.',
    private: 'Privat',
    privateAbout: 'Nur wer eingeladen ist, weiß von ihm.',
    topic: 'Thema (wenn du magst)',
    act: 'Anlegen'
  },
  direct: {
    title: 'Neue Direktnachricht',
    who: 'Name oder Kürzel',
    nobody: query => `Niemandes Name oder Kürzel beginnt mit „${query}“.`,
    alone: 'Außer dir ist noch niemand hier.',
    exact: 'Kürzel',
    exactHint: 'Das genaue Kürzel der Person, etwa @ann.',
    open: 'Schreiben',
    failed: 'Direktnachricht',
    unknown: 'Es gibt niemanden mit diesem Namen, oder das Konto ist gelöscht.',
    self: 'Dieser Person kannst du nicht direkt schreiben.'
  },
  invite: {
    title: channel => `In ${channel} einladen`,
    act: 'Einladen',
    invited: 'Eingeladen',
    hint: 'Wähle jemanden aus, um die Person einzuladen. Sie kann beitreten oder ablehnen.',
    done: name => `${name} ist eingeladen.`
  },
  channelMenu: {
    title: 'Menü des Kanals',
    people: count => `Leute: ${count} gerade hier`,
    peopleHere: 'Leute',
    invite: 'Leute einladen',
    settings: 'Kanaleinstellungen',
    search: 'In diesem Kanal suchen',
    copyLink: 'Link kopieren',
    copied: 'Der Link ist kopiert.',
    markRead: 'Als gelesen markieren',
    leave: 'Kanal verlassen',
    close: 'Unterhaltung schließen',
    left: channel => `Du hast ${channel} verlassen.`,
    leaveTitle: channel => `${channel} verlassen?`,
    leavePrivate: 'Dieser Kanal ist privat: Du kommst nur zurück, wenn dich wieder jemand einlädt.'
  },
  channelSettings: {
    title: channel => `Einstellungen von ${channel}`,
    topic: 'Thema',
    slowMode: 'Langsamer Modus',
    slowModeHint: 'So lange wartet ein Mitglied zwischen zwei Nachrichten. Moderatoren warten nicht.',
    seconds: seconds => {
      if (seconds === 0) return 'Aus'
      if (seconds < 60) return plural(seconds, 'Sekunde', 'Sekunden')
      if (seconds < 3600) return plural(Math.round(seconds / 60), 'Minute', 'Minuten')
      return plural(Math.round(seconds / 3600), 'Stunde', 'Stunden')
    },
    type: 'Wer beitreten darf',
    types: { public: 'Öffentlich', private: 'Privat', moderator: 'Moderation', admin: 'Verwaltung' },
    typesAbout: {
      public: 'Alle finden ihn, lesen mit und treten bei.',
      private: 'Nur wer eingeladen ist, weiß von ihm.',
      moderator: 'Für Leute mit der Rolle Moderator und die Verwaltung.',
      admin: 'Für die Verwaltung.'
    },
    retention: 'Nachrichten bleiben',
    retentionHint: 'Ältere Nachrichten werden endgültig entfernt.',
    days: days => days === 0 ? 'Für immer' : days === 365 ? '1 Jahr' : plural(days, 'Tag', 'Tage'),
    delete: 'Kanal löschen …',
    saved: 'Die Einstellungen sind gespeichert.'
  },
  deleteChannel: {
    title: channel => `${channel} löschen?`,
    about: 'Der Kanal wird mit allen Nachrichten für alle gelöscht. Nichts bringt sie zurück.',
    label: channel => `Zur Bestätigung ${channel} eintippen`,
    otherName: channel => `Das ist nicht der Name des Kanals: ${channel}`,
    act: 'Kanal löschen',
    done: channel => `${channel} ist gelöscht.`
  },
  search: {
    title: 'Nachrichten suchen',
    label: 'Nachrichten suchen',
    where: 'Wo gesucht wird',
    everywhere: 'Alle Kanäle',
    act: 'Suchen',
    help: 'Findet ganze Wörter. "Zwei Wörter" in Anführungszeichen folgen aufeinander, -Wort lässt Nachrichten weg, ' +
      'or findet eines von beiden.',
    direct: 'direkt an dich',
    directTo: name => `direkt an ${name}`,
    found: (count, isMore) => `${isMore ? 'Mehr als ' : ''}${plural(count, 'Nachricht', 'Nachrichten')}`,
    nothing: 'Keine Nachricht hat diese Wörter. Gefunden werden nur ganze Wörter, und neue Nachrichten einige Sekunden nach dem Senden.',
    more: 'Ältere Nachrichten',
    deleted: 'Diese Nachricht wurde gelöscht.'
  },
  jump: {
    open: 'Springen zu …',
    title: 'Springen zu',
    label: 'Kanal, Person oder Aktion',
    found: count => plural(count, 'Treffer', 'Treffer'),
    direct: 'Direkt schreiben',
    notIn: 'Nicht beigetreten',
    nothing: 'Nichts passt.',
    search: query => query === '' ? 'Nachrichten suchen' : `Nachrichten nach „${query}“ durchsuchen`
  },
  shortcuts: {
    title: 'Tastenkürzel',
    jump: 'Überallhin springen',
    previousNext: 'Vorige, nächste Unterhaltung',
    nextUnread: 'Nächste ungelesene Unterhaltung',
    send: 'Senden',
    lineBreak: 'Neue Zeile',
    editLast: 'Deine letzte Nachricht bearbeiten',
    list: 'Diese Liste'
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
