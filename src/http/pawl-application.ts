import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApplicationUser, DeliveredTokens, SessionView, UserView } from '../embedding/views.ts'
import type { EventType } from '../events/event.ts'
import type { EventListener } from '../events/listened-event.ts'

/** A user whom the application has authenticated, and how. */
export interface SessionStart {
  user: Omit<ApplicationUser, 'status'>
  /** How: values of RFC 8176, such as `pwd`, `otp` or `hwk`. */
  amr: readonly string[]
  /** When, in seconds since 1970, and now by default. */
  authTime?: number | undefined
  /**
   * What every access token of the session contains besides: at most 1 kB as JSON. The names of
   * claims that are registered for tokens, or that Pawl uses, are refused.
   */
  claims?: Readonly<Record<string, unknown>> | undefined
}

export interface SessionDelivery {
  /**
   * Where the refresh token goes. By default the request decides, with `X-Token-Delivery`. A page
   * that the browser has navigated to cannot send that header. With `cookie`, Pawl does not check
   * where the request came from, as the response to a sign-in elsewhere comes from there.
   */
  delivery?: 'body' | 'cookie'
}

/** What the application asks of Pawl: `app.pawl`. */
export interface PawlApplication {
  sessions: {
    /**
     * Starts a session for a user whom the application has just authenticated, and creates the user
     * if needed. Returns the body of the response: the token pair, without the refresh token if
     * that goes into the cookie, which it sets on `reply`. The session of a cookie that this one
     * replaces ends. Rejects with `AUTH_FORBIDDEN` if the user is disabled, with `AUTH_EMAIL_TAKEN`
     * if another user has the address, and with `AUTH_UNAVAILABLE`.
     */
    start(
      request: FastifyRequest,
      reply: FastifyReply,
      start: SessionStart & SessionDelivery,
    ): Promise<DeliveredTokens>
    /** Returns the live sessions of a user, newest first. */
    list(userId: string): Promise<SessionView[]>
    /**
     * Ends a session. When it resolves, every node refuses its tokens, at the latest after
     * `REVOCATION_MAX_STALENESS`. Returns false if there never was such a session.
     */
    end(sessionId: string): Promise<boolean>
    /** Ends all sessions of a user, or all but one. Returns false if there is no such user. */
    endAll(userId: string, options?: { except?: string | undefined }): Promise<boolean>
  }
  users: {
    /** Returns undefined if there is no such user. */
    find(id: string): Promise<UserView | undefined>
    /**
     * Creates the user, or changes what is given and differs. Other roles or another status revoke
     * the user's access tokens. Repeating the call does no harm. Rejects with `AUTH_EMAIL_TAKEN` if
     * another user has the address, with `ADMIN_REQUIRED` if no active administrator would be left,
     * and with `AUTH_UNAVAILABLE`. Throws a `TypeError` if a value is not valid.
     */
    put(user: ApplicationUser): Promise<UserView>
    /**
     * Deletes a user and their sessions. Returns false if there is no such user. Rejects like
     * `put`.
     */
    delete(id: string): Promise<boolean>
  }
  /**
   * Calls the listener with each event of that type, after its commit, in the process in which it
   * happened. An error of the listener is logged and harms nothing. Returns a function that removes
   * the listener. Throws a `TypeError` if there is no such type.
   */
  on<T extends EventType>(type: T, listener: EventListener<T>): () => void
  /**
   * Returns the metrics of this process in the text format of Prometheus, as `GET /metrics` does.
   * For an application that serves them elsewhere.
   */
  metrics(): Promise<string>
}
