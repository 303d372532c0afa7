/**
 * What a run leaves behind: every request with its response, and every fault, by one monotonic
 * clock (milliseconds) of the process that made them. The checker reads this and nothing else.
 * Tokens are recorded as hashes.
 */

export interface Span {
  /** Before the request was sent, or when the fault began. */
  start: number
  /** After the response had arrived or the client stopped waiting, or when the fault was over. */
  end: number
}

/**
 * Who made a request: the owner of the session, the thief of one of its tokens, or the harness
 * itself as a probe.
 */
export type Party = 'owner' | 'thief' | 'probe'

interface Request extends Span {
  session: string
  /** The HTTP status, or 0 if no complete response arrived. */
  status: number
  /** The index of the server that was asked. */
  server: number
}

/** What a response with a pair of tokens says about the access token. */
interface WithPair {
  /** When the access token expires, by the clock of the record. */
  accessExpires?: number
}

export interface Opened extends Request, WithPair {
  kind: 'opened'
}

export interface Refresh extends Request, WithPair {
  kind: 'refresh'
  party: Party
  /** The presented token, and its generation. */
  presented: string
  generation: number
  /** The hash of the retry key, if the request had one. */
  key?: string
  /** Whether the connection was refused, so that no server has seen the request. */
  unsent?: true
  /** The refresh token in the response, also if the client then discarded the response. */
  returned?: string
}

export interface Logout extends Request {
  kind: 'logout'
}

/** A request with an access token. */
export interface Access extends Request {
  kind: 'access'
  /** When the token expires, by the clock of the record. */
  expires: number
}

export interface Fault extends Span {
  kind: 'fault'
  name: string
  /** Whether it lost writes that Redis had acknowledged. */
  losesWrites: boolean
  /**
   * Whether it lost commits that Postgres had acknowledged. A session whose user signed up in the
   * lost period is lost with the user.
   */
  losesCommits: boolean
  /** Whether it set the clock of Redis, by which tokens are issued and expire. */
  shiftsClock: boolean
  /**
   * Whether it affected one server, and no store for longer than a moment, so that the others could
   * continue.
   */
  oneServer: boolean
}

/** A server process that ended although nobody killed it. */
interface Crash extends Span {
  kind: 'crash'
  server: number
}

/** A request whose effect is a mail. */
export interface MailRequest extends Span {
  kind: 'mail-request'
  status: number
}

/** A mail whose transaction committed. */
export interface MailQueued {
  kind: 'mail-queued'
  mail: string
  /** The recipient, who gets no other mails than those of one user. */
  address: string
  /** The position in the order in which the mails of the user were queued. */
  seq: number
}

/** A mail whose data reached the mail server. */
export interface MailArrived {
  kind: 'mail-arrived'
  mail: string
  /** Whether the mail server sent its reply, or died before. */
  isAccepted: boolean
}

/** A mail that no server will send again. */
interface MailLeft {
  kind: 'mail-left'
  mail: string
}

/** A login with a wrong password, from an address that no other request comes from. */
export interface Guess extends Span {
  kind: 'guess'
  account: string
  /** 401 if the password was checked. */
  status: number
}

export type Answered = Opened | Refresh | Logout | Access
export type Event =
  | Answered
  | Fault
  | Crash
  | MailRequest
  | MailQueued
  | MailArrived
  | MailLeft
  | Guess
