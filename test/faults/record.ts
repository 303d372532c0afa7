/**
 * What a run leaves behind: every request with its answer, and every fault, by one monotonic clock (milliseconds) of the
 * process that made them. The checker reads this and nothing else. Tokens stand here as hashes.
 */

export interface Span {
  /** Before the request was sent, or the fault began. */
  start: number
  /** After the answer had arrived, or none was waited for any longer; or the fault was over. */
  end: number
}

/** Whose request it was: the session's owner's, that of who stole a token of it, or the harness's own curiosity. */
export type Party = 'owner' | 'thief' | 'probe'

interface Request extends Span {
  session: string
  /** The HTTP status; 0 where no whole answer arrived. */
  status: number
  /** Which of the servers was asked. */
  server: number
}

export interface Opened extends Request {
  kind: 'opened'
}

export interface Refresh extends Request {
  kind: 'refresh'
  party: Party
  /** The presented token, and its generation. */
  presented: string
  generation: number
  /** What marks it as a repetition of another one, if anything does; as a hash. */
  key?: string
  /** The connection was refused: no server has seen it. */
  unsent?: true
  /** The refresh token in the answer, also where the client then threw the answer away. */
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
  /** Writes that Redis had acknowledged were lost by it. */
  losesWrites: boolean
  /** It touched one server, and no store for longer than a moment: the others could go on. */
  oneServer: boolean
}

/** A server process that ended without anybody having killed it. */
export interface Crash extends Span {
  kind: 'crash'
  server: number
}

export type Answered = Opened | Refresh | Logout | Access
export type Event = Answered | Fault | Crash
