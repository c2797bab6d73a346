const plural = (count: string, one: string, many: string): string => `${count} ${count === '1' ? one : many}`

export const en = {
  backToChat: 'Back to the chat',
  sections: {
    health: 'Health',
    connections: 'Connections',
    trace: 'Trace',
    users: 'People',
    channels: 'Channels',
    reports: 'Reports',
    log: 'Log',
    announcements: 'Announcements',
    codes: 'Invitation codes'
  },
  abouts: {
    health: 'How the server fares, once a second.',
    connections: 'Who is connected, and why a connection is slow.',
    trace: 'When each message of a channel was where on its way through this instance. Nothing of what it says is shown.',
    users: 'Everybody who has an account.',
    channels: 'All channels except direct messages.',
    reports: 'Messages that people have reported, of all channels.',
    log: 'What moderators and administrators did, everywhere.',
    announcements: 'A line for everybody who is connected, until they close it.',
    codes: 'With a code, people can create an account where registration is by invitation.'
  },
  health: {
    instances: 'Instance',
    instance: (id: string) => `Instance ${id}`,
    groups: { messages: 'Messages', people: 'People and connections', machine: 'Machine' },
    figures: {
      delivery: 'Delivery',
      commit: 'Publishing',
      publishes: 'Messages a second',
      deliveries: 'Deliveries a second',
      queue: 'Waiting in the queue',
      connections: 'Connections',
      online: 'People online',
      outbound: 'Waiting for sockets',
      slow: 'Slow connections',
      database: 'Database',
      bus: 'Bus',
      eventLoop: 'Event loop delay',
      memory: 'Memory'
    },
    words: {
      now: 'now',
      median: 'median',
      p99: '99 %',
      roundTrip: 'round trip',
      dropped: 'dropped',
      process: 'process',
      up: 'up',
      down: 'down',
      full: 'full'
    },
    aboutDelivery: 'From the queue to the sockets',
    aboutCommit: 'Round trips that store messages',
    total: (count: string) => `${count} since the start`,
    oldest: (time: string) => `The oldest waits for ${time}`,
    atMost: (count: string) => `At most ${count}`,
    subscriptions: (count: string) => plural(count, 'subscription', 'subscriptions'),
    aboutOutbound: 'Of all connections together',
    closedSlow: (count: string) => `${count} closed since the start, because they were too slow`,
    embedded: 'Embedded in the process',
    pool: (used: number, max: number, waiting: number) => `${used} of ${max} connections in use, ${waiting} waiting`,
    drivers: { memory: 'This instance only', redis: 'Redis' },
    busy: (share: string) => `Busy for ${share} of the time`,
    heap: (used: string, limit: string) => `Heap: ${used} of ${limit}`,
    sentence: (line: string, now: string, lowest: string, highest: string) =>
      `${line}: ${now}; in the last three minutes between ${lowest} and ${highest}.`,
    runsSince: (id: string, time: string) => `Instance ${id} has been running since ${time}.`
  },
  connections: {
    filter: 'Filter by name or handle',
    none: 'Nobody is connected here.',
    noneFound: 'No connection that is shown fits.',
    onlyOne: 'You see the connections of one person at this instance.',
    all: 'Show all',
    ofInstance: (id: string) => `These are the connections of instance ${id}. Each instance lists only its own.`,
    columns: { person: 'Person', address: 'Network', since: 'For', channels: 'Channels', queued: 'Queued', acts: 'Acts' },
    nobody: 'Not logged in',
    guest: 'guest',
    closeShort: 'Disconnect',
    closeOf: (name: string) => `Disconnect ${name}`,
    closeTitle: (name: string) => `Disconnect ${name}?`,
    aboutClose: (name: string) => `This connection of ${name} is closed. They can connect again, unless their account is disabled.`,
    close: 'Disconnect',
    closed: (name: string) => `The connection of ${name} is closed.`,
    states: {
      not_authenticated: () => 'Has connected and not logged in yet. The server closes it by itself if nothing follows.',
      not_reading: (time: string) =>
        `Has taken nothing for ${time}. The device may be asleep or out of range: disconnecting it frees the memory, and it ` +
        'comes back by itself.',
      falling_behind: (time: string) =>
        `Has been receiving more than it takes for ${time}. Its network or device is slow: fewer channels help, and the server ` +
        'closes it if it gets worse.',
      flooding: (_time: string, waiting: string) =>
        `Sends more than it may; ${plural(waiting, 'request waits', 'requests wait')}. If this goes on, look at what the client ` +
        'does, or disable the account.',
      closing: () => 'Is being closed.'
    }
  },
  trace: {
    channel: 'Channel',
    start: 'Trace for one minute',
    stop: 'Stop',
    left: (seconds: number) => `Still ${seconds} s. Messages appear here as they are sent.`,
    lost: 'The connection was lost. The trace goes on when it is back.',
    logged: 'The log will say that you did this.',
    message: (seq: string) => `Message ${seq}`,
    about: (subscribers: string, batch: string) =>
      `${plural(subscribers, 'connection', 'connections')} here, stored or brought by the bus as one of ${batch}`,
    took: (time: string) => `in ${time}`,
    sentence: (steps: string) => `Steps of the message: ${steps}`,
    steps: {
      received: 'Received',
      parsed: 'Parsed',
      queued: 'In the queue',
      batched: 'Taken from the queue',
      committed: 'Stored',
      acked: 'Confirmed to the sender',
      received_from_bus: 'Received from the bus',
      published: 'Published',
      written_first: 'First write',
      written_last: 'Last write',
      drained_last: 'All sockets have taken it'
    }
  },
  users: {
    search: 'Search by name or email address',
    none: (text: string) => text === '' ? 'There are no accounts yet.' : `No account has “${text}” in its name or address.`,
    roles: { user: 'Person', moderator: 'Moderator', admin: 'Administrator' },
    disabledSince: (day: string) => `disabled since ${day}`,
    noEmail: 'no email address',
    unverified: 'not confirmed',
    since: (day: string) => `since ${day}`,
    acts: (name: string) => `Acts for ${name}`,
    connections: 'Connections',
    do: {
      makeAdmin: {
        offer: 'Make administrator …',
        title: (name: string) => `Make ${name} an administrator?`,
        about: (name: string) => `${name} can then do everything that you can do here, also take this right from you.`,
        button: 'Make administrator',
        done: (name: string) => `${name} is an administrator.`
      },
      makeModerator: {
        offer: 'Make moderator …',
        title: (name: string) => `Make ${name} a moderator?`,
        about: (name: string) => `${name} gets the role of a moderator, and loses the one they had.`,
        button: 'Make moderator',
        done: (name: string) => `${name} is a moderator.`
      },
      makeUser: {
        offer: 'Take the role …',
        title: (name: string) => `Take the role from ${name}?`,
        about: (name: string) => `${name} can then do no more than everybody else. Channels that they created stay theirs.`,
        button: 'Take the role',
        done: (name: string) => `${name} has no special role any more.`
      },
      disconnect: {
        offer: 'Disconnect …',
        title: (name: string) => `Disconnect ${name}?`,
        about: (name: string) => `All connections of ${name} are closed, at all instances. They can connect again.`,
        button: 'Disconnect',
        done: (name: string) => `${name} is disconnected.`
      },
      disable: {
        offer: 'Disable …',
        title: (name: string) => `Disable the account of ${name}?`,
        about: (name: string) => `${name} is logged out everywhere at once and cannot log in until you enable the account ` +
          'again. Nothing is deleted.',
        button: 'Disable',
        done: (name: string) => `The account of ${name} is disabled.`
      },
      enable: {
        offer: 'Enable …',
        title: (name: string) => `Enable the account of ${name}?`,
        about: (name: string) => `${name} can log in again.`,
        button: 'Enable',
        done: (name: string) => `The account of ${name} is enabled.`
      }
    },
    resetOffer: 'Code for a new password …',
    reset: (name: string) => ({
      title: `Make a code for ${name}?`,
      text: `With the code, whoever has it can set a new password for ${name}. An older code is not valid any more.`,
      act: 'Make code'
    }),
    resetTitle: (name: string) => `Code for ${name}`,
    aboutCode: (name: string) => `Give it to ${name} in a way that nobody else can read.`,
    eraseOffer: 'Erase …',
    eraseTitle: (name: string) => `Erase the account of ${name}?`,
    aboutErase: (name: string) => `The name, email address, password, logins and memberships of ${name} are deleted for good. ` +
      'Their messages stay, without a name. Nobody can undo this.',
    typeName: (name: string) => `Type ${name} to confirm`,
    otherName: (name: string) => `This is not their name: ${name}`,
    erase: 'Erase account',
    erased: (name: string) => `The account of ${name} is erased.`
  },
  channels: {
    search: 'Search by name or topic',
    none: 'There are no channels.',
    noneFound: (text: string) => `No channel has “${text}” in its name or topic.`,
    online: (count: string) => `${count} here now`,
    acts: (name: string) => `Acts for ${name}`,
    open: 'Open in the chat',
    members: 'Members',
    membersOf: (name: string) => `Members of ${name}`,
    noMembers: 'Nobody is in this channel.',
    change: 'Topic and type …',
    changeTitle: (name: string) => `Change ${name}`,
    aboutType: 'Whoever may not be in a channel of the new type is out of it at once.',
    remove: 'Delete …'
  },
  reports: {
    none: 'No report waits for a decision. When people report a message, it shows up here.',
    whose: (name: string, channel: string) => `It was written by ${name} in ${channel}.`
  },
  log: {
    channel: 'Channel',
    action: 'What happened',
    within: 'When',
    everything: 'Everything',
    always: 'At any time',
    spans: { hour: 'In the last hour', day: 'In the last day', week: 'In the last 7 days', month: 'In the last 30 days' },
    only: (name: string) => `Show only lines with ${name}`,
    onlyPerson: 'Only what {person} did, or what was done to them.',
    allPeople: 'Show everybody',
    none: 'Nothing of this kind is in the log.',
    acts: {
      announce: '{actor} announced something to everybody.',
      close_connection: '{actor} closed a connection of {target}.',
      create_invitation_code: '{actor} made an invitation code.',
      delete_channel: '{actor} deleted the channel.',
      disable_user: '{actor} disabled the account of {target}.',
      disconnect_user: '{actor} disconnected {target}.',
      enable_user: '{actor} enabled the account of {target}.',
      erase_user: '{actor} erased the account of {target}.',
      reset_password: '{actor} made a code for a new password for {target}.',
      revoke_invitation_code: '{actor} revoked an invitation code.',
      set_role_admin: '{actor} made {target} an administrator.',
      set_role_moderator: '{actor} made {target} a moderator of the server.',
      set_role_user: '{actor} took the role from {target}.',
      watch_trace: '{actor} traced the messages of the channel.'
    },
    /** The acts in the list from which one chooses. */
    names: {
      invite_user: 'Invitation',
      kick_user: 'Removal from a channel',
      ban_user: 'Ban',
      unban_user: 'End of a ban',
      mute_user: 'Mute',
      unmute_user: 'End of a mute',
      add_moderator: 'New moderator of a channel',
      remove_moderator: 'Removed moderator of a channel',
      delete_message: 'Deleted message',
      set_topic: 'Topic',
      set_slow_mode: 'Slow mode',
      set_retention: 'How long messages are kept',
      set_type_public: 'Channel made public',
      set_type_private: 'Channel made private',
      set_type_moderator: 'Channel made one for moderators',
      set_type_admin: 'Channel made one for administrators',
      settle_report_dismissed: 'Dismissed report',
      settle_report_removed: 'Report, message deleted',
      settle_report_sanctioned: 'Report, author muted or banned',
      announce: 'Announcement',
      close_connection: 'Closed connection',
      create_invitation_code: 'New invitation code',
      delete_channel: 'Deleted channel',
      disable_user: 'Disabled account',
      disconnect_user: 'Disconnected person',
      enable_user: 'Enabled account',
      erase_user: 'Erased account',
      reset_password: 'Code for a new password',
      revoke_invitation_code: 'Revoked invitation code',
      set_role_admin: 'New administrator',
      set_role_moderator: 'New moderator of the server',
      set_role_user: 'Taken role',
      watch_trace: 'Trace'
    }
  },
  announce: {
    label: 'What everybody gets to read',
    preview: 'So it looks',
    offer: 'Announce …',
    askTitle: 'Announce this to everybody?',
    ask: (count: string) => `It is shown at once to everybody who is connected: ${plural(count, 'connection', 'connections')} ` +
      'at this instance, ' +
      'and those of all other instances. Nobody can take it back.',
    send: 'Announce',
    sent: 'Everybody who is connected can read it.'
  },
  codes: {
    make: 'A new code',
    makeIt: 'Make code',
    uses: 'How many people may use it',
    lifetime: 'Valid for',
    channels: 'Channels (optional)',
    channelsHint: 'Whoever uses the code joins these channels too. Separate names with spaces.',
    made: 'The new code',
    aboutMade: 'Whoever has this code can create an account.',
    list: 'Codes that were made',
    none: 'No code was made yet.',
    left: (left: string, uses: string) => `${left} of ${plural(uses, 'use', 'uses')} left`,
    over: 'not valid any more',
    madeAt: (time: string) => `Made ${time}`,
    until: (time: string) => `valid until ${time}`,
    revoke: 'Revoke',
    revokeOf: (time: string) => `Revoke the code that was made ${time}`,
    revokeTitle: 'Revoke this code?',
    aboutRevoke: (left: string) => `Nobody can create an account with it any more: ${plural(left, 'use is', 'uses are')} left. ` +
      'Accounts that were created with it stay.',
    revoked: 'The code is revoked.',
    code: 'Code',
    link: 'Link',
    copy: (what: string) => `Copy: ${what}`,
    once: (time: string) => `It is shown only now, and is valid until ${time}.`
  }
}
