import type { AdminText } from '../text.ts'

const plural = (count: string, one: string, many: string): string => `${count} ${count === '1' ? one : many}`

export const de: AdminText = {
  backToChat: 'Zurück zum Chat',
  sections: {
    health: 'Zustand',
    connections: 'Verbindungen',
    trace: 'Wege',
    users: 'Leute',
    channels: 'Kanäle',
    reports: 'Meldungen',
    log: 'Protokoll',
    announcements: 'Ankündigungen',
    codes: 'Einladungscodes'
  },
  abouts: {
    health: 'Wie es dem Server geht, einmal in der Sekunde.',
    connections: 'Wer verbunden ist, und warum eine Verbindung langsam ist.',
    trace: 'Wann jede Nachricht eines Kanals wo auf ihrem Weg durch diese Instanz war. Was darin steht, ist nicht zu sehen.',
    users: 'Alle, die ein Konto haben.',
    channels: 'Alle Kanäle außer Direktnachrichten.',
    reports: 'Gemeldete Nachrichten aus allen Kanälen.',
    log: 'Was Moderation und Verwaltung getan haben, überall.',
    announcements: 'Eine Zeile für alle, die verbunden sind, bis sie sie schließen.',
    codes: 'Mit einem Code kann man ein Konto anlegen, wo man dafür eingeladen sein muss.'
  },
  health: {
    instances: 'Instanz',
    instance: id => `Instanz ${id}`,
    groups: { messages: 'Nachrichten', people: 'Leute und Verbindungen', machine: 'Maschine' },
    figures: {
      delivery: 'Zustellung',
      commit: 'Speichern',
      publishes: 'Nachrichten je Sekunde',
      deliveries: 'Zustellungen je Sekunde',
      queue: 'In der Warteschlange',
      connections: 'Verbindungen',
      online: 'Leute online',
      outbound: 'Wartet auf Sockets',
      slow: 'Langsame Verbindungen',
      database: 'Datenbank',
      bus: 'Bus',
      eventLoop: 'Verzug der Ereignisschleife',
      memory: 'Speicher'
    },
    words: {
      now: 'jetzt',
      median: 'Median',
      p99: '99 %',
      roundTrip: 'Hin und zurück',
      dropped: 'verloren',
      process: 'Prozess',
      up: 'erreichbar',
      down: 'nicht erreichbar',
      full: 'voll'
    },
    aboutDelivery: 'Von der Warteschlange bis zu den Sockets',
    aboutCommit: 'Abfragen, die Nachrichten speichern',
    total: count => `${count} seit dem Start`,
    oldest: time => `Die älteste wartet seit ${time}`,
    atMost: count => `Höchstens ${count}`,
    subscriptions: count => plural(count, 'Abonnement', 'Abonnements'),
    aboutOutbound: 'Für alle Verbindungen zusammen',
    closedSlow: count => `${count} seit dem Start geschlossen, weil sie zu langsam waren`,
    embedded: 'Im Prozess eingebettet',
    pool: (used, max, waiting) => `${used} von ${max} Verbindungen benutzt, ${waiting} warten`,
    drivers: { memory: 'Nur diese Instanz', redis: 'Redis' },
    busy: share => `${share} der Zeit beschäftigt`,
    heap: (used, limit) => `Heap: ${used} von ${limit}`,
    sentence: (line, now, lowest, highest) => `${line}: ${now}; in den letzten drei Minuten zwischen ${lowest} und ${highest}.`,
    runsSince: (id, time) => `Instanz ${id} läuft seit ${time}.`
  },
  connections: {
    filter: 'Nach Name oder Kürzel filtern',
    none: 'Hier ist niemand verbunden.',
    noneFound: 'Keine der gezeigten Verbindungen passt.',
    onlyOne: 'Du siehst die Verbindungen einer Person an dieser Instanz.',
    all: 'Alle zeigen',
    ofInstance: id => `Das sind die Verbindungen der Instanz ${id}. Jede Instanz zeigt nur ihre eigenen.`,
    columns: { person: 'Person', address: 'Netz', since: 'Seit', channels: 'Kanäle', queued: 'Wartet', acts: 'Aktionen' },
    nobody: 'Nicht angemeldet',
    guest: 'Gast',
    closeShort: 'Trennen',
    closeOf: name => `${name} trennen`,
    closeTitle: name => `${name} trennen?`,
    aboutClose: name => `Diese Verbindung von ${name} wird geschlossen. ${name} kann sich wieder verbinden, solange das Konto ` +
      'nicht gesperrt ist.',
    close: 'Trennen',
    closed: name => `Die Verbindung von ${name} ist geschlossen.`,
    states: {
      not_authenticated: () => 'Hat sich verbunden und noch nicht angemeldet. Der Server schließt sie von selbst, wenn nichts folgt.',
      not_reading: time =>
        `Hat seit ${time} nichts angenommen. Das Gerät schläft vielleicht oder hat kein Netz: Trennen gibt den Speicher frei, ` +
        'und es kommt von selbst wieder.',
      falling_behind: time =>
        `Bekommt seit ${time} mehr, als sie annimmt. Netz oder Gerät sind langsam: Weniger Kanäle helfen, und der Server ` +
        'schließt sie, wenn es schlimmer wird.',
      flooding: (_time, waiting) =>
        `Sendet mehr, als sie darf; ${plural(waiting, 'Anfrage wartet', 'Anfragen warten')}. Wenn das so bleibt, sieh nach, was ` +
        'das Programm tut, oder sperre das Konto.',
      closing: () => 'Wird gerade geschlossen.'
    }
  },
  trace: {
    channel: 'Kanal',
    start: 'Eine Minute lang verfolgen',
    stop: 'Aufhören',
    left: seconds => `Noch ${seconds} s. Nachrichten erscheinen hier, sobald sie gesendet werden.`,
    lost: 'Die Verbindung ist abgebrochen. Es geht weiter, sobald sie wieder da ist.',
    logged: 'Im Protokoll wird stehen, dass du das getan hast.',
    message: seq => `Nachricht ${seq}`,
    about: (subscribers, batch) =>
      `${plural(subscribers, 'Verbindung', 'Verbindungen')} hier, gespeichert oder vom Bus gebracht als eine von ${batch}`,
    took: time => `in ${time}`,
    sentence: steps => `Schritte der Nachricht: ${steps}`,
    steps: {
      received: 'Empfangen',
      parsed: 'Gelesen',
      queued: 'In der Warteschlange',
      batched: 'Aus der Warteschlange genommen',
      committed: 'Gespeichert',
      acked: 'Bestätigt',
      received_from_bus: 'Vom Bus empfangen',
      published: 'Veröffentlicht',
      written_first: 'Erste geschrieben',
      written_last: 'Letzte geschrieben',
      drained_last: 'Alle Sockets haben sie'
    }
  },
  users: {
    search: 'Nach Name oder E-Mail-Adresse suchen',
    none: text => text === '' ? 'Es gibt noch keine Konten.' : `Kein Konto hat „${text}“ im Namen oder in der Adresse.`,
    roles: { user: 'Person', moderator: 'Moderation', admin: 'Verwaltung' },
    disabledSince: day => `gesperrt seit ${day}`,
    noEmail: 'keine E-Mail-Adresse',
    unverified: 'nicht bestätigt',
    since: day => `seit ${day}`,
    acts: name => `Aktionen für ${name}`,
    connections: 'Verbindungen',
    do: {
      makeAdmin: {
        offer: 'In die Verwaltung …',
        title: name => `${name} in die Verwaltung aufnehmen?`,
        about: name => `${name} kann dann hier alles, was du kannst, auch dir dieses Recht nehmen.`,
        button: 'Aufnehmen',
        done: name => `${name} gehört zur Verwaltung.`
      },
      makeModerator: {
        offer: 'In die Moderation …',
        title: name => `${name} in die Moderation aufnehmen?`,
        about: name => `${name} gehört dann zur Moderation und verliert die bisherige Rolle.`,
        button: 'Aufnehmen',
        done: name => `${name} gehört zur Moderation.`
      },
      makeUser: {
        offer: 'Rolle nehmen …',
        title: name => `${name} die Rolle nehmen?`,
        about: name => `${name} kann dann nicht mehr als alle anderen. Selbst erstellte Kanäle bleiben.`,
        button: 'Rolle nehmen',
        done: name => `${name} hat keine besondere Rolle mehr.`
      },
      disconnect: {
        offer: 'Trennen …',
        title: name => `${name} trennen?`,
        about: name => `Alle Verbindungen von ${name} werden geschlossen, an allen Instanzen. ${name} kann sich wieder verbinden.`,
        button: 'Trennen',
        done: name => `${name} ist getrennt.`
      },
      disable: {
        offer: 'Sperren …',
        title: name => `Konto von ${name} sperren?`,
        about: name => `${name} wird sofort überall abgemeldet und kann sich erst wieder anmelden, wenn du das Konto freigibst. ` +
          'Nichts wird gelöscht.',
        button: 'Sperren',
        done: name => `Das Konto von ${name} ist gesperrt.`
      },
      enable: {
        offer: 'Freigeben …',
        title: name => `Konto von ${name} freigeben?`,
        about: name => `${name} kann sich wieder anmelden.`,
        button: 'Freigeben',
        done: name => `Das Konto von ${name} ist freigegeben.`
      }
    },
    resetOffer: 'Code für ein neues Passwort …',
    reset: name => ({
      title: `Code für ${name} machen?`,
      text: `Wer den Code hat, kann ein neues Passwort für ${name} setzen. Ein älterer Code gilt dann nicht mehr.`,
      act: 'Code machen'
    }),
    resetTitle: name => `Code für ${name}`,
    aboutCode: name => `Gib ihn ${name} so, dass niemand sonst ihn lesen kann.`,
    eraseOffer: 'Löschen …',
    eraseTitle: name => `Konto von ${name} löschen?`,
    aboutErase: name => `Name, E-Mail-Adresse, Passwort, Anmeldungen und Mitgliedschaften von ${name} werden endgültig gelöscht. ` +
      'Die Nachrichten bleiben, ohne Namen. Niemand kann das rückgängig machen.',
    typeName: name => `Tippe ${name}, um es zu bestätigen`,
    otherName: name => `So heißt die Person nicht: ${name}`,
    erase: 'Konto löschen',
    erased: name => `Das Konto von ${name} ist gelöscht.`
  },
  channels: {
    search: 'Nach Name oder Thema suchen',
    none: 'Es gibt keine Kanäle.',
    noneFound: text => `Kein Kanal hat „${text}“ im Namen oder im Thema.`,
    online: count => `${count} gerade da`,
    acts: name => `Aktionen für ${name}`,
    open: 'Im Chat öffnen',
    members: 'Mitglieder',
    membersOf: name => `Mitglieder von ${name}`,
    noMembers: 'Niemand ist in diesem Kanal.',
    change: 'Thema und Art …',
    changeTitle: name => `${name} ändern`,
    aboutType: 'Wer in einem Kanal der neuen Art nicht sein darf, ist sofort draußen.',
    remove: 'Löschen …'
  },
  reports: {
    none: 'Keine Meldung wartet auf eine Entscheidung. Wenn jemand eine Nachricht meldet, steht sie hier.',
    whose: (name, channel) => `Sie ist von ${name} in ${channel}.`
  },
  log: {
    channel: 'Kanal',
    action: 'Was geschah',
    within: 'Wann',
    everything: 'Alles',
    always: 'Irgendwann',
    spans: { hour: 'In der letzten Stunde', day: 'Am letzten Tag', week: 'In den letzten 7 Tagen', month: 'In den letzten 30 Tagen' },
    only: name => `Nur Zeilen mit ${name} zeigen`,
    onlyPerson: 'Nur, was {person} getan hat oder wen es betraf.',
    allPeople: 'Alle zeigen',
    none: 'Davon steht nichts im Protokoll.',
    acts: {
      announce: '{actor} hat allen etwas angekündigt.',
      close_connection: '{actor} hat eine Verbindung von {target} geschlossen.',
      create_invitation_code: '{actor} hat einen Einladungscode gemacht.',
      delete_channel: '{actor} hat den Kanal gelöscht.',
      disable_user: '{actor} hat das Konto von {target} gesperrt.',
      disconnect_user: '{actor} hat {target} getrennt.',
      enable_user: '{actor} hat das Konto von {target} freigegeben.',
      erase_user: '{actor} hat das Konto von {target} gelöscht.',
      reset_password: '{actor} hat einen Code für ein neues Passwort von {target} gemacht.',
      revoke_invitation_code: '{actor} hat einen Einladungscode zurückgezogen.',
      set_role_admin: '{actor} hat {target} in die Verwaltung aufgenommen.',
      set_role_moderator: '{actor} hat {target} in die Moderation des Servers aufgenommen.',
      set_role_user: '{actor} hat {target} die Rolle genommen.',
      watch_trace: '{actor} hat den Weg der Nachrichten im Kanal verfolgt.'
    },
    names: {
      invite_user: 'Einladung',
      kick_user: 'Aus einem Kanal entfernt',
      ban_user: 'Sperre in einem Kanal',
      unban_user: 'Ende einer Sperre',
      mute_user: 'Stummgeschaltet',
      unmute_user: 'Nicht mehr stumm',
      add_moderator: 'In die Moderation eines Kanals',
      remove_moderator: 'Aus der Moderation eines Kanals',
      delete_message: 'Gelöschte Nachricht',
      set_topic: 'Thema',
      set_slow_mode: 'Langsamer Modus',
      set_retention: 'Wie lange Nachrichten bleiben',
      set_type_public: 'Kanal öffentlich gemacht',
      set_type_private: 'Kanal privat gemacht',
      set_type_moderator: 'Kanal der Moderation vorbehalten',
      set_type_admin: 'Kanal der Verwaltung vorbehalten',
      settle_report_dismissed: 'Verworfene Meldung',
      settle_report_removed: 'Meldung, Nachricht gelöscht',
      settle_report_sanctioned: 'Meldung, stumm oder gesperrt',
      announce: 'Ankündigung',
      close_connection: 'Geschlossene Verbindung',
      create_invitation_code: 'Neuer Einladungscode',
      delete_channel: 'Gelöschter Kanal',
      disable_user: 'Gesperrtes Konto',
      disconnect_user: 'Getrennte Person',
      enable_user: 'Freigegebenes Konto',
      erase_user: 'Gelöschtes Konto',
      reset_password: 'Code für ein neues Passwort',
      revoke_invitation_code: 'Zurückgezogener Einladungscode',
      set_role_admin: 'Neu in der Verwaltung',
      set_role_moderator: 'Neu in der Moderation des Servers',
      set_role_user: 'Genommene Rolle',
      watch_trace: 'Verfolgte Nachrichten'
    }
  },
  announce: {
    label: 'Was alle lesen',
    preview: 'So sieht es aus',
    offer: 'Ankündigen …',
    askTitle: 'Das allen ankündigen?',
    ask: count => `Alle, die verbunden sind, sehen es sofort: ${plural(count, 'Verbindung', 'Verbindungen')} an dieser Instanz ` +
      'und die aller anderen ' +
      'Instanzen. Niemand kann es zurücknehmen.',
    send: 'Ankündigen',
    sent: 'Alle, die verbunden sind, können es lesen.'
  },
  codes: {
    make: 'Ein neuer Code',
    makeIt: 'Code machen',
    uses: 'Wie viele ihn benutzen dürfen',
    lifetime: 'Gültig für',
    channels: 'Kanäle (wenn du magst)',
    channelsHint: 'Wer den Code benutzt, tritt auch diesen Kanälen bei. Trenne die Namen mit Leerzeichen.',
    made: 'Der neue Code',
    aboutMade: 'Wer diesen Code hat, kann ein Konto anlegen.',
    list: 'Bisherige Codes',
    none: 'Es gibt noch keinen Code.',
    left: (left, uses) => `${left} von ${uses} Mal übrig`,
    over: 'gilt nicht mehr',
    madeAt: time => `Gemacht ${time}`,
    until: time => `gültig bis ${time}`,
    revoke: 'Zurückziehen',
    revokeOf: time => `Den Code zurückziehen, der ${time} gemacht wurde`,
    revokeTitle: 'Diesen Code zurückziehen?',
    aboutRevoke: left => `Niemand kann damit mehr ein Konto anlegen; ${left} Mal war er noch zu benutzen. Konten, die damit ` +
      'angelegt wurden, bleiben.',
    revoked: 'Der Code ist zurückgezogen.',
    code: 'Code',
    link: 'Link',
    copy: what => `Kopieren: ${what}`,
    once: time => `Nur jetzt zu sehen, und gültig bis ${time}.`
  }
}
