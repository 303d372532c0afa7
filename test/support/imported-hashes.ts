import { PASSWORD } from './credentials.ts'

/** Hashes as other applications store them, by where they come from, with their passwords. */
export const IMPORTED: Record<string, { hash: string; password: string }> = {
  // From the test suites of the implementations.
  'bcrypt of OpenBSD': {
    hash: '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    password: 'U*U',
  },
  'bcrypt of PHP': {
    hash: '$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq',
    password: 'rasmuslerdorf',
  },
  'bcrypt with unused bits set': {
    hash: '$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX',
    password: 'U*U',
  },
  'argon2i of version 1.0': {
    hash: '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
    password: 'password',
  },
  'ASP.NET Identity 2': {
    hash: 'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==',
    password: 'my password',
  },
  'ASP.NET Identity 3 with SHA-1': {
    hash: 'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M',
    password: 'my password',
  },
  'ASP.NET Identity 3 with SHA-256': {
    hash:
      'AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+' +
      'bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=',
    password: 'my password',
  },
  'ASP.NET Identity 3 with SHA-512': {
    hash:
      'AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7' +
      'LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==',
    password: 'my password',
  },
  // From the README of Firebase's scrypt.
  Firebase: {
    hash:
      '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,' +
      'sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==' +
      '$42xEC+ixf3L2lw==' +
      '$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
    password: 'user1password',
  },
  // RFC 7914, section 12, and RFC 6070, section 2.
  'scrypt of its RFC': {
    hash:
      '$scrypt$ln=10,r=8,p=16$TmFDbA$' +
      '/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA',
    password: 'password',
  },
  'PBKDF2 with SHA-1 of its RFC': {
    hash: '$pbkdf2$4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE',
    password: 'password',
  },
  // Made with the cryptography of Python, and with the libraries of bcrypt and argon2.
  'PBKDF2 of Django': {
    hash: 'pbkdf2_sha256$1000$seasaltsalt$HWKPQH+fmrDnejMTAKZWrXCEmAjwsyFPGIDddmHOe9k=',
    password: PASSWORD,
  },
  'PBKDF2 with SHA-1 of Django': {
    hash: 'pbkdf2_sha1$1000$seasaltsalt$nUKLHgebHwH6+6hQGwieMCbKnIM=',
    password: PASSWORD,
  },
  'scrypt of Django': {
    hash:
      'scrypt$seasaltsalt$16384$8$1$' +
      'uNROYv6+Ky5/PsI/h4w7EtFiCp4vX1Gs8DoQ09OBYpgVdQAN7zuW6+VxrZV0sO9CLPp8qpsmcqptpeR/Kzcb0g==',
    password: PASSWORD,
  },
  'bcrypt of Django': {
    hash: 'bcrypt$$2b$04$lrOAs5Ty4BLHABv.yNrthOyn3eZA/aWAspPiyINw1WsHemB6zVBRW',
    password: PASSWORD,
  },
  'bcrypt of a digest, of Django': {
    hash: 'bcrypt_sha256$$2b$04$vtj.1wVLHbkXjwEw1isbiOPwUl4v82MyCm6NUKkQhaL9c9QhApdPq',
    password: PASSWORD,
  },
  'argon2id of Django': {
    hash:
      'argon2$argon2id$v=19$m=1024,t=2,p=1$OFF7fJOIEFO4D3IhUW+jtg$' +
      'hJUMr663ipViHVRysuA05ZUvhB7NKweEmZNh35af6YE',
    password: PASSWORD,
  },
  argon2d: {
    hash:
      '$argon2d$v=19$m=1024,t=2,p=1$abi1deuUL72AfmqvB9G3gg$' +
      'NiBxIscacvIKfMjNHmikkkeZUmeAOkdT1Tb1qMm3Its',
    password: PASSWORD,
  },
  'scrypt of better-auth': {
    hash:
      '00112233445566778899aabbccddeeff:' +
      '08f9c4f9483188e1a0c1c56bb2841edc8962f6a93edf6d93e582b39bdcbf8c9f' +
      'd42c92f7830e05c99e824cfcfd36672a50400302886b4f03f60e81e70e656fc0',
    password: PASSWORD,
  },
  'PBKDF2 with SHA-512': {
    hash:
      '$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$' +
      'fkmedcNksM5RSJr8Yo6rqzgLEaRDj34iTkKktfY+CnXLSbM+yrInJs/K7I+QAE6LRZTjVXzo8ETNXdSinViwCw',
    password: PASSWORD,
  },
  'PBKDF2 of passlib': {
    hash:
      '$pbkdf2-sha256$1000$MDEyMzQ1Njc4OfvvY2RlZg$' + '2sSbQNIIttuiJvhwKPQCd8pPD6zzbEONzHaZ1HRmSzg',
    password: PASSWORD,
  },
}
