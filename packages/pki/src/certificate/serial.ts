const RANDOM_OCTETS = 16;

/**
 * Serial number from 16 octets of a cryptographically secure source, as big-endian magnitude without leading zeros.
 * All 128 bits count: no bit is given up for the sign, which the encoder adds as an octet of its own
 * (so up to 17 of the 20 octets of RFC 5280 section 4.1.2.2).
 * @throws RangeError for another number of octets, or when all are zero (a source that is broken)
 */
export function serialNumber(random16: Uint8Array): Uint8Array {
  if (random16.length !== RANDOM_OCTETS) throw new RangeError(`a serial number takes ${RANDOM_OCTETS} random octets`);
  const first = random16.findIndex((octet) => octet !== 0);
  if (first < 0) throw new RangeError('the random source yields zeros');
  return random16.slice(first);
}

/** Text form of a serial number (magnitude or INTEGER content): lower-case hex, whole octets, no leading zero octets. */
export function serialText(serial: Uint8Array): string {
  let first = 0;
  while (first < serial.length - 1 && serial[first] === 0) first++;
  return Buffer.from(serial.buffer, serial.byteOffset + first, serial.length - first).toString('hex');
}
