// Made by `npm run generate` from src/schemas, src/requests and src/errors.ts. Do not edit.

export type Entry =
  | MessageSent
  | MessageEdited
  | MessageDeleted
  | {
      type: 'reaction_added'
      channel: string
      id: string
      reaction: string
      timestamp: string
      seq: number
      user_id: string
      username: string
      handle: string | null
    }
  | {
      type: 'reaction_removed'
      channel: string
      id: string
      reaction: string
      timestamp: string
      seq: number
      user_id: string
      username: string
      handle: string | null
    }
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_frame'
  | 'unknown_type'
  | 'unknown_command'
  | 'not_authenticated'
  | 'authentication_failed'
  | 'token_required'
  | 'channel_required'
  | 'message_required'
  | 'user_required'
  | 'invalid_channel_name'
  | 'invalid_channel_type'
  | 'channel_not_found'
  | 'channel_exists'
  | 'user_not_found'
  | 'not_in_channel'
  | 'not_authorized'
  | 'banned'
  | 'muted'
  | 'channel_full'
  | 'too_many_channels'
  | 'too_many_invitations'
  | 'blocked'
  | 'too_many_blocks'
  | 'message_not_found'
  | 'too_many_reactions'
  | 'last_admin'
  | 'message_too_long'
  | 'rate_limited'
  | 'busy'
  | 'unavailable'
  | 'internal'
  | 'invalid_request'
  | 'not_found'
  | 'registration_closed'
  | 'invalid_invitation_code'
  | 'invitation_code_not_found'
  | 'cross_origin'
  | 'email_not_verified'
  | 'invalid_code'
  | 'report_not_found'
  | 'report_settled'
  | 'login_not_found'
  | 'connection_not_found'
  | 'handle_taken'
  | 'email_taken'
  | 'payload_too_large'
  | 'unsupported_media_type'

export interface Wire {
  Requests: {
    authenticate: {
      fields: {
        token?: string | null
        activity?: boolean
      }
      reply: {
        user_id: string
        username: string
        handle: string | null
        email: string | null
        role: 'user' | 'moderator' | 'admin'
        expires_at: string | null
      }
    }
    heartbeat: {
      fields: {}
      reply: {
        server_time: string
      }
    }
    join_channel: {
      fields: {
        channel: string
        since?: number
        since_id?: string | null
        channel_id?: string
        history?: number
      }
      reply: {
        channel: string
        channel_id: string
        channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
        seq: number
        last_id: string | null
        recovered: boolean
        messages: Entry[]
        topic: string
        slow_mode: number
        retention: number | null
        user_count: number
        me: Place
        peer?: PersonWithHandle
      }
    }
    leave_channel: {
      fields: {
        channel: string
      }
      reply: {
        channel: string
      }
    }
    unsubscribe_channel: {
      fields: {
        channel: string
      }
      reply: {
        channel: string
      }
    }
    send_message: {
      fields: {
        channel: string
        message?: string
        client_id?: string
        reply_to?: string
        data?: unknown
      }
      reply: Receipt
    }
    signal: {
      fields: {
        channel: string
        event: string
        data?: unknown
      }
      reply: {
        channel: string
      }
    }
    mark_read: {
      fields: {
        channel: string
        seq: number
      }
      reply: {
        channel: string
        seq: number
      }
    }
    channel_list: {
      fields: {
        limit?: number
        cursor?: string
        joined?: boolean
      }
      reply: {
        channels: {
          id: string
          name: string
          channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
          user_count: number
          topic: string
          peer?: PersonWithHandle
          read_seq?: number
          unread_count?: number
          last_message_at?: string | null
          online_count: number
          joined: boolean
          last_seq?: number
        }[]
        next_cursor: string | null
      }
    }
    user_list: {
      fields: {
        channel: string
        limit?: number
        cursor?: string
      }
      reply: {
        channel: string
        users: PersonWithHandle[]
        count: number
        next_cursor: string | null
      }
    }
    open_direct: {
      fields: {
        user_id?: string
        handle?: string
      }
      reply: {
        channel: Channel
      }
    }
    block_user: {
      fields: {
        user_id?: string
        handle?: string
      }
      reply: {
        user_id: string
      }
    }
    unblock_user: {
      fields: {
        user_id?: string
        handle?: string
      }
      reply: {
        user_id: string
      }
    }
    watch_stats: {
      fields: {}
      reply: {
        instance: string
      }
    }
    unwatch_stats: {
      fields: {}
      reply: {}
    }
    watch_trace: {
      fields: {
        channel: string
      }
      reply: {
        channel: string
        instance: string
      }
    }
    create_channel: {
      fields: {
        name: string
        channel_type?: 'public' | 'private' | 'admin' | 'moderator'
        topic?: string
        slow_mode?: number
        retention?: number | null
      }
      reply: {
        channel: {
          id: string
          name: string
          channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
          created_at: string
        }
      }
    }
    update_channel: {
      fields: {
        channel: string
        channel_type?: 'public' | 'private' | 'admin' | 'moderator'
        topic?: string
        slow_mode?: number
        retention?: number | null
      }
      reply: {
        channel: string
        channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
        topic: string
        slow_mode: number
        retention: number | null
      }
    }
    delete_channel: {
      fields: {
        channel: string
      }
      reply: {
        channel: string
      }
    }
    edit_message: {
      fields: {
        channel: string
        id: string
        message?: string
        data?: unknown
      }
      reply: {
        channel: string
        id: string
        seq: number
        timestamp: string
      }
    }
    delete_message: {
      fields: {
        channel: string
        id: string
      }
      reply: {
        channel: string
        id: string
        seq: number
        timestamp: string
      }
    }
    add_reaction: {
      fields: {
        channel: string
        id: string
        reaction: string
      }
      reply: {
        channel: string
        id: string
        reaction: string
        timestamp: string
        seq?: number
      }
    }
    remove_reaction: {
      fields: {
        channel: string
        id: string
        reaction: string
      }
      reply: {
        channel: string
        id: string
        reaction: string
        timestamp: string
        seq?: number
      }
    }
    invite_user: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    kick_user: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    ban_user: {
      fields: {
        channel: string
        user_id?: string
        reason?: string
        duration?: number
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
        reason: string | null
        expires_at: string | null
      }
    }
    unban_user: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    mute_user: {
      fields: {
        channel: string
        user_id?: string
        duration?: number
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
        duration: number
        expires_at: string
      }
    }
    unmute_user: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    add_moderator: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    remove_moderator: {
      fields: {
        channel: string
        user_id?: string
        handle?: string
      }
      reply: {
        channel: string
        user_id: string
      }
    }
    decline_invitation: {
      fields: {
        channel: string
      }
      reply: {
        channel: string
      }
    }
    report_message: {
      fields: {
        channel: string
        id: string
        reason?: string
      }
      reply: {
        channel: string
        id: string
        report_id: string
      }
    }
  }
  Notices: {
    channel_activity: {
      channel: string
      seq: number
      timestamp: string
    }
    user_joined: PresenceNotice
    user_left: PresenceNotice
    channel_left: {
      channel: string
      timestamp: string
    }
    message: MessageSent
    signal: Signal
    read_marker: {
      channel: string
      seq: number
    }
    user_read: {
      channel: string
      user_id: string
      seq: number
    }
    direct_opened: {
      channel: Channel
      timestamp: string
    }
    stats: {
      instance: string
      started_at: string
      at: string
      window_ms: number
      connections: {
        open: number
        max: number
        authenticated: number
        behind: number
        opened_total: number
      }
      users_online: number
      subscriptions: number
      channels: number
      publishes: {
        total: number
        per_second: number
      }
      deliveries: {
        total: number
        per_second: number
      }
      errors: {
        total: number
        per_second: number
      }
      delivery: {
        p50_ms: number | null
        p99_ms: number | null
      }
      commit: {
        p50_ms: number | null
        p99_ms: number | null
      }
      queue: {
        messages: number
        oldest_ms: number
      }
      inbound_bytes: number
      outbound_bytes: number
      slow_consumers_total: number
      gaps: {
        found_total: number
        repaired_total: number
      }
      database: {
        kind: 'postgresql' | 'pglite'
        up: boolean
        full: boolean
        ping_ms: number | null
        pool: {
          used: number
          idle: number
          waiting: number
          max: number
        } | null
      }
      bus: {
        driver: 'memory' | 'redis'
        up: boolean
        dropped_total: number
      }
      event_loop: {
        p50_ms: number | null
        p99_ms: number | null
        utilization: number
      }
      memory: {
        rss_bytes: number | null
        heap_used_bytes: number
        heap_limit_bytes: number
      }
    }
    trace: {
      channel: string
      id: string
      seq: number
      steps: {
        step:
          | 'received'
          | 'parsed'
          | 'queued'
          | 'batched'
          | 'committed'
          | 'acked'
          | 'received_from_bus'
          | 'published'
          | 'written_first'
          | 'written_last'
          | 'drained_last'
        at_ms: number
      }[]
      subscribers: number
      batch: number
    }
    channel_updated: {
      channel: string
      channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
      topic: string
      slow_mode: number
      retention: number | null
      timestamp: string
    }
    channel_deleted: {
      channel: string
      timestamp: string
    }
    message_edited: MessageEdited
    message_deleted: MessageDeleted
    reaction_added: {
      type: 'reaction_added'
      channel: string
      id: string
      reaction: string
      timestamp: string
      seq: number
      user_id: string
      username: string
      handle: string | null
    }
    reaction_removed: {
      type: 'reaction_removed'
      channel: string
      id: string
      reaction: string
      timestamp: string
      seq: number
      user_id: string
      username: string
      handle: string | null
    }
    invited_to_channel: {
      channel: string
      channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
      timestamp: string
    }
    kicked_from_channel: {
      channel: string
      timestamp: string
    }
    banned_from_channel: {
      channel: string
      reason: string | null
      expires_at: string | null
      timestamp: string
    }
    unbanned_from_channel: {
      channel: string
      timestamp: string
    }
    muted_in_channel: {
      channel: string
      duration: number
      expires_at: string
      timestamp: string
    }
    unmuted_in_channel: {
      channel: string
      timestamp: string
    }
    report_filed: {
      channel: string
      report: {
        id: string
        channel: string
        channel_id: string
        message_id: string
        seq: number
        user_id: string
        username: string
        handle: string | null
        message?: string | null
        data?: unknown
        sent_at: string
        reported_by: string
        reason: string | null
        created_at: string
        resolution: ('dismissed' | 'removed' | 'sanctioned') | null
        settled_by: string | null
        settled_at: string | null
      }
      timestamp: string
    }
    welcome: Welcome
    announcement: {
      message: string
      timestamp: string
    }
    degraded: {
      timestamp: string
    }
    restored: {
      timestamp: string
    }
  }
  Routes: {
    'POST /api/auth/register': {
      params: {}
      query: {}
      body: Registration
      answer: Login
    }
    'POST /api/auth/login': {
      params: {}
      query: {}
      body: Credentials
      answer: Login
    }
    'POST /api/auth/refresh': {
      params: {}
      query: {}
      body: RefreshRequest
      answer: Login
    }
    'POST /api/auth/logout': {
      params: {}
      query: {}
      body: LogoutRequest
      answer: null
    }
    'POST /api/auth/forgot': {
      params: {}
      query: {}
      body: {
        email: string
      }
      answer: null
    }
    'POST /api/auth/reset': {
      params: {}
      query: {}
      body: {
        code: string
        password: string
      }
      answer: null
    }
    'POST /api/auth/verify': {
      params: {}
      query: {}
      body: {
        code: string
      }
      answer: null
    }
    'GET /api/me': {
      params: {}
      query: {}
      body: undefined
      answer: User
    }
    'PATCH /api/me': {
      params: {}
      query: {}
      body: UserPatch
      answer: User
    }
    'DELETE /api/me': {
      params: {}
      query: {}
      body: AccountDeletion
      answer: null
    }
    'POST /api/me/verification': {
      params: {}
      query: {}
      body: undefined
      answer: null
    }
    'GET /api/me/invitations': {
      params: {}
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: InvitationPage
    }
    'GET /api/me/export': {
      params: {}
      query: {}
      body: undefined
      answer: string
    }
    'GET /api/me/logins': {
      params: {}
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: LoginPage
    }
    'DELETE /api/me/logins': {
      params: {}
      query: {}
      body: undefined
      answer: null
    }
    'DELETE /api/me/logins/:id': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'GET /api/channels': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        type?: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
        joined?: boolean
      }
      body: undefined
      answer: ChannelPage
    }
    'POST /api/channels': {
      params: {}
      query: {}
      body: {
        name: string
        channel_type?: 'public' | 'private' | 'admin' | 'moderator'
        topic?: string
        slow_mode?: number
        retention?: number | null
      }
      answer: Channel
    }
    'GET /api/channels/:name': {
      params: {
        name: string
      }
      query: {}
      body: undefined
      answer: Channel
    }
    'PATCH /api/channels/:name': {
      params: {
        name: string
      }
      query: {}
      body: {
        channel_type?: 'public' | 'private' | 'admin' | 'moderator'
        topic?: string
        slow_mode?: number
        retention?: number | null
      }
      answer: Channel
    }
    'DELETE /api/channels/:name': {
      params: {
        name: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'GET /api/channels/:name/members': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: MemberPage
    }
    'GET /api/channels/:name/online': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: OnlinePage
    }
    'GET /api/channels/:name/messages': {
      params: {
        name: string
      }
      query: {
        before?: number
        after?: number
        around?: number
        limit?: number
      }
      body: undefined
      answer: HistoryPage
    }
    'POST /api/channels/:name/messages': {
      params: {
        name: string
      }
      query: {}
      body: MessageCreation
      answer: Receipt
    }
    'GET /api/channels/:name/messages/:id': {
      params: {
        name: string
        id: string
      }
      query: {}
      body: undefined
      answer: Message
    }
    'PATCH /api/channels/:name/messages/:id': {
      params: {
        name: string
        id: string
      }
      query: {}
      body: {
        message?: string
        data?: unknown
      }
      answer: {
        channel: string
        id: string
        seq: number
        timestamp: string
      }
    }
    'DELETE /api/channels/:name/messages/:id': {
      params: {
        name: string
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'POST /api/channels/:name/signals': {
      params: {
        name: string
      }
      query: {}
      body: SignalCreation
      answer: null
    }
    'PUT /api/channels/:name/read': {
      params: {
        name: string
      }
      query: {}
      body: {
        seq: number
      }
      answer: {
        channel: string
        seq: number
      }
    }
    'PUT /api/channels/:name/messages/:id/reactions/:reaction': {
      params: {
        name: string
        id: string
        reaction: string
      }
      query: {}
      body: {}
      answer: {
        channel: string
        id: string
        reaction: string
        timestamp: string
        seq?: number
      }
    }
    'DELETE /api/channels/:name/messages/:id/reactions/:reaction': {
      params: {
        name: string
        id: string
        reaction: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'PUT /api/channels/:name/members/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: {}
      answer: {
        channel: string
        user_id: string
      }
    }
    'DELETE /api/channels/:name/members/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'PUT /api/channels/:name/bans/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: {
        reason?: string
        duration?: number
      }
      answer: {
        channel: string
        user_id: string
        reason: string | null
        expires_at: string | null
      }
    }
    'DELETE /api/channels/:name/bans/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'PUT /api/channels/:name/mutes/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: {
        duration?: number
      }
      answer: {
        channel: string
        user_id: string
        duration: number
        expires_at: string
      }
    }
    'DELETE /api/channels/:name/mutes/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'PUT /api/channels/:name/moderators/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: {}
      answer: {
        channel: string
        user_id: string
      }
    }
    'DELETE /api/channels/:name/moderators/:user_id': {
      params: {
        name: string
        user_id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'DELETE /api/me/invitations/:name': {
      params: {
        name: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'POST /api/channels/:name/messages/:id/reports': {
      params: {
        name: string
        id: string
      }
      query: {}
      body: {
        reason?: string
      }
      answer: {
        channel: string
        id: string
        report_id: string
      }
    }
    'GET /api/channels/:name/bans': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: BanPage
    }
    'GET /api/channels/:name/mutes': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: MutePage
    }
    'GET /api/channels/:name/moderators': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: ModeratorPage
    }
    'GET /api/channels/:name/log': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: LogPage
    }
    'POST /api/directs': {
      params: {}
      query: {}
      body: {
        user_id: string
      }
      answer: Channel
    }
    'GET /api/me/blocks': {
      params: {}
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: {
        blocks: Moderator[]
        next_cursor: string | null
      }
    }
    'PUT /api/me/blocks/:user_id': {
      params: {
        user_id: string
      }
      query: {}
      body: undefined
      answer: {
        user_id: string
      }
    }
    'DELETE /api/me/blocks/:user_id': {
      params: {
        user_id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'GET /api/channels/:name/reports': {
      params: {
        name: string
      }
      query: {
        limit?: number
        cursor?: string
        status?: 'open' | 'settled'
      }
      body: undefined
      answer: {
        reports: {
          id: string
          channel: string
          channel_id: string
          message_id: string
          seq: number
          user_id: string
          username: string
          handle: string | null
          message: string | null
          data?: unknown
          sent_at: string
          reported_by: string
          reason: string | null
          created_at: string
          resolution: ('dismissed' | 'removed' | 'sanctioned') | null
          settled_by: string | null
          settled_at: string | null
        }[]
        next_cursor: string | null
      }
    }
    'PATCH /api/channels/:name/reports/:id': {
      params: {
        name: string
        id: string
      }
      query: {}
      body: {
        resolution: 'dismissed' | 'removed' | 'sanctioned'
      }
      answer: {
        id: string
        channel: string
        channel_id: string
        message_id: string
        seq: number
        user_id: string
        username: string
        handle: string | null
        message: string | null
        data?: unknown
        sent_at: string
        reported_by: string
        reason: string | null
        created_at: string
        resolution: ('dismissed' | 'removed' | 'sanctioned') | null
        settled_by: string | null
        settled_at: string | null
      }
    }
    'GET /api/admin/reports': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        status?: 'open' | 'settled'
      }
      body: undefined
      answer: {
        reports: {
          id: string
          channel: string
          channel_id: string
          message_id: string
          seq: number
          user_id: string
          username: string
          handle: string | null
          message: string | null
          data?: unknown
          sent_at: string
          reported_by: string
          reason: string | null
          created_at: string
          resolution: ('dismissed' | 'removed' | 'sanctioned') | null
          settled_by: string | null
          settled_at: string | null
        }[]
        next_cursor: string | null
      }
    }
    'PATCH /api/admin/reports/:id': {
      params: {
        id: string
      }
      query: {}
      body: {
        resolution: 'dismissed' | 'removed' | 'sanctioned'
      }
      answer: {
        id: string
        channel: string
        channel_id: string
        message_id: string
        seq: number
        user_id: string
        username: string
        handle: string | null
        message: string | null
        data?: unknown
        sent_at: string
        reported_by: string
        reason: string | null
        created_at: string
        resolution: ('dismissed' | 'removed' | 'sanctioned') | null
        settled_by: string | null
        settled_at: string | null
      }
    }
    'GET /api/messages': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        query: string
        channel?: string
      }
      body: undefined
      answer: {
        messages: Message[]
        next_cursor: string | null
      }
    }
    'GET /api/users': {
      params: {}
      query: {
        query?: string
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: {
        users: {
          id: string
          name: string
          handle: string | null
          created_at: string
          online: boolean
        }[]
        next_cursor: string | null
      }
    }
    'GET /api/users/:id': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: {
        id: string
        name: string
        handle: string | null
        created_at: string
        online: boolean
      }
    }
    'GET /api/admin/users': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        query?: string
      }
      body: undefined
      answer: UserPage
    }
    'PATCH /api/admin/users/:id': {
      params: {
        id: string
      }
      query: {}
      body: UserChange
      answer: ManagedUser
    }
    'DELETE /api/admin/users/:id': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'DELETE /api/admin/users/:id/connections': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'POST /api/admin/users/:id/reset': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: {
        code: string
        link: string | null
        expires_at: string
      }
    }
    'POST /api/admin/announcements': {
      params: {}
      query: {}
      body: Announcement
      answer: null
    }
    'GET /api/admin/log': {
      params: {}
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: LogPage
    }
    'GET /api/admin/messages': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        query: string
        channel?: string
      }
      body: undefined
      answer: {
        messages: Message[]
        next_cursor: string | null
      }
    }
    'POST /api/admin/invitation-codes': {
      params: {}
      query: {}
      body: InvitationCodeCreation
      answer: NewInvitationCode
    }
    'GET /api/admin/invitation-codes': {
      params: {}
      query: {
        limit?: number
        cursor?: string
      }
      body: undefined
      answer: InvitationCodePage
    }
    'DELETE /api/admin/invitation-codes/:id': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'GET /api/admin/stats': {
      params: {}
      query: {}
      body: undefined
      answer: {
        instance: string
        started_at: string
        at: string
        window_ms: number
        connections: {
          open: number
          max: number
          authenticated: number
          behind: number
          opened_total: number
        }
        users_online: number
        subscriptions: number
        channels: number
        publishes: {
          total: number
          per_second: number
        }
        deliveries: {
          total: number
          per_second: number
        }
        errors: {
          total: number
          per_second: number
        }
        delivery: {
          p50_ms: number | null
          p99_ms: number | null
        }
        commit: {
          p50_ms: number | null
          p99_ms: number | null
        }
        queue: {
          messages: number
          oldest_ms: number
        }
        inbound_bytes: number
        outbound_bytes: number
        slow_consumers_total: number
        gaps: {
          found_total: number
          repaired_total: number
        }
        database: {
          kind: 'postgresql' | 'pglite'
          up: boolean
          full: boolean
          ping_ms: number | null
          pool: {
            used: number
            idle: number
            waiting: number
            max: number
          } | null
        }
        bus: {
          driver: 'memory' | 'redis'
          up: boolean
          dropped_total: number
        }
        event_loop: {
          p50_ms: number | null
          p99_ms: number | null
          utilization: number
        }
        memory: {
          rss_bytes: number | null
          heap_used_bytes: number
          heap_limit_bytes: number
        }
      }
    }
    'GET /api/admin/connections': {
      params: {}
      query: {
        limit?: number
        cursor?: string
        user_id?: string
      }
      body: undefined
      answer: {
        instance: string
        connections: {
          id: string
          user_id: string | null
          username: string | null
          handle: string | null
          is_guest: boolean
          address: string | null
          since: string
          channels: number
          waiting_requests: number
          queued_bytes: number
          slow_since: string | null
          last_taken_at: string | null
          state: 'ok' | 'not_authenticated' | 'not_reading' | 'falling_behind' | 'flooding' | 'closing'
        }[]
        next_cursor: string | null
      }
    }
    'DELETE /api/admin/connections/:id': {
      params: {
        id: string
      }
      query: {}
      body: undefined
      answer: null
    }
    'GET /healthz': {
      params: {}
      query: {}
      body: undefined
      answer: {
        status: 'ok'
      }
    }
    'GET /readyz': {
      params: {}
      query: {}
      body: undefined
      answer: {
        status: 'ready' | 'draining' | 'unavailable'
        database: 'up' | 'down' | 'full' | 'outdated' | 'unknown'
        bus: 'up' | 'degraded'
      }
    }
  }
  ErrorCode: ErrorCode
}
export interface MessageSent {
  type: 'message'
  id: string
  seq: number
  channel: string
  user_id: string
  username: string
  message: string | null
  timestamp: string
  client_id?: string
  reply_to?: string
  data?: unknown
  reactions?: {
    reaction: string
    count: number
    user_ids: string[]
  }[]
  reactions_seq?: number
  edited_at?: string
  deleted?: true
}
export interface MessageEdited {
  type: 'message_edited'
  id: string
  seq: number
  channel: string
  user_id: string
  timestamp: string
  message: string | null
  data?: unknown
}
export interface MessageDeleted {
  type: 'message_deleted'
  id: string
  seq: number
  channel: string
  user_id: string
  timestamp: string
}
export interface Place {
  role: 'user' | 'moderator' | 'admin'
  is_member_since: string
  is_moderator: boolean
  muted_until: string | null
  read_seq: number
}
export interface PersonWithHandle {
  user_id: string
  username: string
  handle: string | null
}
export interface Receipt {
  channel: string
  id: string
  seq: number
  timestamp: string
  client_id?: string
  duplicate?: true
}
export interface Channel {
  id: string
  name: string
  channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
  created_by: string | null
  created_at: string
  user_count: number
  last_seq: number
  topic: string
  slow_mode: number
  retention: number | null
  peer?: PersonWithHandle
}
export interface PresenceNotice {
  user_id: string
  username: string
  channel: string
  timestamp: string
}
export interface Signal {
  channel: string
  event: string
  user_id: string
  username: string
  handle: string | null
  data?: unknown
  timestamp: string
}
export interface Welcome {
  connection_id: string
  server_time: string
  protocol: number
  heartbeat_interval: number
  connection_timeout: number
  max_payload: number
}
export interface Registration {
  email: string
  name: string
  handle?: string
  password: string
  invitation_code?: string
  cookie?: boolean
}
export interface Login {
  user: User
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token?: string
  refresh_expires_in: number
}
export interface User {
  id: string
  email: string | null
  email_verified: boolean
  name: string
  handle: string | null
  role: 'user' | 'moderator' | 'admin'
  created_at: string
}
export interface Credentials {
  email: string
  password: string
  cookie?: boolean
}
export interface RefreshRequest {
  refresh_token?: string | null
  cookie?: boolean
}
export interface LogoutRequest {
  refresh_token?: string | null
}
export interface UserPatch {
  name?: string
  handle?: string
  password?: string
  current_password?: string
}
export interface AccountDeletion {
  password: string
}
export interface InvitationPage {
  invitations: Invitation[]
  next_cursor: string | null
}
export interface Invitation {
  channel: string
  channel_id: string
  channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
  invited_by: string
  username: string
  handle: string | null
  created_at: string
}
export interface LoginPage {
  logins: OwnLogin[]
  next_cursor: string | null
}
export interface OwnLogin {
  id: string
  device: string | null
  address: string | null
  created_at: string
  last_used_at: string
  current: boolean
}
export interface ChannelPage {
  channels: ListedChannel[]
  next_cursor: string | null
}
export interface ListedChannel {
  id: string
  name: string
  channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
  created_by: string | null
  created_at: string
  user_count: number
  last_seq: number
  topic: string
  slow_mode: number
  retention: number | null
  peer?: PersonWithHandle
  read_seq?: number
  unread_count?: number
  last_message_at?: string | null
}
export interface MemberPage {
  members: Member[]
  next_cursor: string | null
}
export interface Member {
  user_id: string
  username: string
  handle: string | null
  joined_at: string
  read_seq?: number
}
export interface OnlinePage {
  users: PersonWithHandle[]
  count: number
  next_cursor: string | null
}
export interface HistoryPage {
  messages: Message[]
  channel_id: string
  last_seq: number
  last_id: string | null
}
export interface Message {
  id: string
  seq: number
  channel: string
  user_id: string
  username: string
  message: string | null
  timestamp: string
  client_id?: string
  reply_to?: string
  data?: unknown
  reactions?: {
    reaction: string
    count: number
    user_ids: string[]
  }[]
  reactions_seq?: number
  edited_at?: string
  deleted?: true
}
export interface MessageCreation {
  message?: string
  client_id?: string
  reply_to?: string
  data?: unknown
}
export interface SignalCreation {
  event: string
  data?: unknown
}
export interface BanPage {
  bans: Ban[]
  next_cursor: string | null
}
export interface Ban {
  user_id: string
  username: string
  handle: string | null
  reason: string | null
  banned_by: string
  expires_at: string | null
  created_at: string
}
export interface MutePage {
  mutes: Mute[]
  next_cursor: string | null
}
export interface Mute {
  user_id: string
  username: string
  handle: string | null
  muted_by: string
  expires_at: string | null
  created_at: string
}
export interface ModeratorPage {
  moderators: Moderator[]
  next_cursor: string | null
}
export interface Moderator {
  user_id: string
  username: string
  handle: string | null
  created_at: string
}
export interface LogPage {
  log: LogEntry[]
  next_cursor: string | null
}
export interface LogEntry {
  id: string
  actor_id: string | null
  action: string
  target_id: string | null
  channel_id: string | null
  channel: string | null
  reason: string | null
  expires_at: string | null
  created_at: string
}
export interface UserPage {
  users: ManagedUser[]
  next_cursor: string | null
}
export interface ManagedUser {
  id: string
  email: string | null
  email_verified: boolean
  name: string
  handle: string | null
  role: 'user' | 'moderator' | 'admin'
  created_at: string
  disabled_at: string | null
}
export interface UserChange {
  role?: 'user' | 'moderator' | 'admin'
  disabled?: boolean
}
export interface Announcement {
  message: string
}
export interface InvitationCodeCreation {
  uses?: number
  expires_in?: number
  channels?: string[]
}
export interface NewInvitationCode {
  id: string
  uses: number
  uses_left: number
  expires_at: string
  channels: string[]
  created_by: string
  created_at: string
  code: string
}
export interface InvitationCodePage {
  invitation_codes: InvitationCode[]
  next_cursor: string | null
}
export interface InvitationCode {
  id: string
  uses: number
  uses_left: number
  expires_at: string
  channels: string[]
  created_by: string
  created_at: string
}
export interface Registered {
  user: User
}
export interface Person {
  user_id: string
  username: string
}
export interface Settings {
  channel_type: 'public' | 'private' | 'admin' | 'moderator' | 'direct'
  topic: string
  slow_mode: number
  retention: number | null
}
export interface ErrorFrame {
  type: 'error'
  code:
    | 'invalid_json'
    | 'invalid_frame'
    | 'unknown_type'
    | 'unknown_command'
    | 'not_authenticated'
    | 'authentication_failed'
    | 'token_required'
    | 'channel_required'
    | 'message_required'
    | 'user_required'
    | 'invalid_channel_name'
    | 'invalid_channel_type'
    | 'channel_not_found'
    | 'channel_exists'
    | 'user_not_found'
    | 'not_in_channel'
    | 'not_authorized'
    | 'banned'
    | 'muted'
    | 'channel_full'
    | 'too_many_channels'
    | 'too_many_invitations'
    | 'blocked'
    | 'too_many_blocks'
    | 'message_not_found'
    | 'too_many_reactions'
    | 'last_admin'
    | 'message_too_long'
    | 'rate_limited'
    | 'busy'
    | 'unavailable'
    | 'internal'
  message: string
  ref?: string | number
  retry_after_ms?: number
  reason?: string | null
  expires_at?: string | null
}
