/** 1 to 128 characters of this set. None of them has a meaning in a Redis key. */
export const USER_ID = '^[A-Za-z0-9._:@|-]{1,128}$'

const pattern = new RegExp(USER_ID)

/** Returns whether a text can be the id of a user. Ids are compared letter by letter. */
export function isUserId(text: string): boolean {
  return pattern.test(text)
}
