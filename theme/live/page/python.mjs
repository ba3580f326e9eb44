// Python in a worker of its own: one piece of work after another, each with its outputs; it can be stopped.

const AGAIN = "Python starts afresh with the next run, which first runs the cells before it again.";

export class Python {
  constructor(folder, version, { coming, gone }) {
    Object.assign(this, { folder, version, coming, gone, count: 0, work: null });
  }

  // Names survive a stop only where the server lets a page share memory with its worker.
  start() {
    this.buffer = window.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
    this.worker = new Worker(`${this.folder}worker.mjs?v=${this.version}`, { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.end(`Python did not start, or has broken off: ${event.message ?? "it could not be loaded"}.`);
    this.worker.postMessage({ buffer: this.buffer });
  }

  hear({ kind, text, id, ok }) {
    if (kind === "coming") this.coming(text);
    else if (kind === "dead") this.end(text);
    else if (id !== this.work?.id) return;
    else if (kind === "began") this.work.began();
    else if (kind === "done") this.finish(ok);
    else this.work.out(kind, text);
  }

  // One at a time: who calls waits for the end of the work before.
  run(request, { out, began, seconds }) {
    if (!this.worker) this.start();
    return new Promise((resolve) => {
      const id = (this.count += 1);
      const late = `This did not end within ${seconds} seconds, and was ended: is there a loop that never stops, or one over far too many things? ${AGAIN}`;
      this.work = { id, out, resolve, began: () => {
        this.timer = setTimeout(() => this.end(late), seconds * 1000);
        began();
      } };
      if (this.buffer) this.buffer[0] = 0;
      this.worker.postMessage({ id, ...request });
    });
  }

  finish(ok) {
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    const { resolve } = this.work;
    this.work = null;
    resolve(ok);
  }

  stop() {
    if (!this.work) return;
    if (!this.buffer) return this.end(`Stopped. ${AGAIN}`);
    this.buffer[0] = 2;
    this.patience = setTimeout(() => this.end(`Stopped. ${AGAIN}`), 1500); // it is somewhere in C
  }

  end(why) {
    this.worker?.terminate();
    this.worker = null;
    this.gone();
    if (!this.work) return;
    this.work.out("error", why);
    this.finish(false);
  }
}
