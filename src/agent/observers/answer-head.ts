// Finds out from the bytes that an application writes whether it accepted an upgrade.

/** Node refuses longer heads itself; an application that writes a longer one is not answering an upgrade. */
const maxHeadCharacters = 16 * 1024;
const endOfHead = '\r\n\r\n';
const statusLine = /^HTTP\/1\.[01] (\d{3})/;

/** Reads the answer to one upgrade request. */
export class AnswerHead {
  #text = '';
  #verdict: 'unknown' | 'accepted' | 'refused' = 'unknown';

  /** `accepted` from the end of the head with status 101 on. */
  get verdict(): 'unknown' | 'accepted' | 'refused' {
    return this.#verdict;
  }

  /** Takes what is written next; returns the bytes after the head, empty unless these bytes end it. */
  read(bytes: Buffer): Buffer {
    // A head begins with H. Anything else is a frame: the head was written before anybody watched.
    if (this.#text === '' && bytes[0] !== 0x48) {
      this.#verdict = 'accepted';
      return bytes;
    }
    this.#text += bytes.toString('latin1');
    for (let end = this.#end(); end !== -1; end = this.#end()) {
      const status = Number(statusLine.exec(this.#text)?.[1]);
      const rest = this.#text.length - end - endOfHead.length;
      this.#text = this.#text.slice(end + endOfHead.length);
      if (status === 101) {
        this.#verdict = 'accepted';
        return bytes.subarray(bytes.length - rest);
      }
      // 100 and 103 come before the answer proper.
      if (!(status >= 100 && status < 200)) this.#verdict = 'refused';
      if (this.#verdict === 'refused') return empty;
    }
    if (this.#text.length > maxHeadCharacters) this.#verdict = 'refused';
    return empty;
  }

  #end(): number {
    return this.#text.indexOf(endOfHead);
  }
}

const empty = Buffer.alloc(0);
