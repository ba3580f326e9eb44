// A page at work: editors in place of its code, cells run in their order, answers kept.
import { edit } from "./editor.mjs";
import { FORGET } from "./notebook.mjs";
import { show } from "./output.mjs";
import { Python } from "./python.mjs";
import style from "./session.css";

const LONG = { exercise: 20, chapter: 180 }; // seconds that a cell may take
const RUNS = new Set(["run", "answer", "check"]);

export function start(page) {
  document.head.append(page.make("style", { textContent: style }));
  document.body.append(page.make("p", { id: "live-keys", className: "live-hidden",
    textContent: "Shift and Enter run the cell. Escape, then Tab, leaves the editor." }));
  return new Session(page);
}

const sentence = (name) => name[0].toUpperCase() + name.slice(1);

class Session {
  constructor(page) {
    Object.assign(this, page);
    this.line = Promise.resolve();
    this.waiting = new Set();
    this.python = new Python(this.folder, this.about.version, {
      coming: (text) => { this.note = text; this.current?.say(text); },
      gone: () => this.cells.forEach((cell) => { cell.ran = null; }),
    });
    this.python.start(); // it takes its time; the editors are made meanwhile
    this.cells.filter((cell) => RUNS.has(cell.kind)).forEach((cell) => this.open(cell));
  }

  // Where it is told what Python does.
  at(cell) {
    if (this.current !== cell) this.current?.say("");
    this.current = cell;
  }

  // An editor, and the buttons that a cell has from now on.
  open(cell) {
    const { make } = this;
    const holder = cell.pre.parentElement;
    cell.out = make("div", { className: "live-out", role: "region", ariaLabel: `Output of ${cell.name}`, ariaLive: "polite" });
    cell.stop = make("button", { type: "button", textContent: "Stop", hidden: true, ariaLabel: `Stop, ${cell.name}` });
    cell.stop.addEventListener("click", () => this.stop(cell));
    const reset = cell.kind === "check" ? "Clear" : "Reset this cell";
    cell.reset = make("button", { type: "button", textContent: reset, hidden: true, ariaLabel: `${reset}, ${cell.name}` });
    cell.reset.addEventListener("click", () => {
      if (performance.now() - (cell.stopped ?? -1e4) < 1000) return; // it has slid under a second click on Stop
      this.reset(cell);
      cell.go.focus();
    });
    cell.all = make("button", { type: "button", textContent: "Reset all", hidden: true });
    cell.all.addEventListener("click", () => window.confirm(FORGET) && this.resetAll());
    cell.go.after(cell.stop, cell.reset, cell.all);
    cell.bar.after(cell.out);
    cell.still = [...cell.box.querySelectorAll(":scope > .cell_output")];
    cell.source = () => cell.given;
    if (cell.kind === "check") return;
    cell.say("");
    holder.replaceChildren();
    cell.view = edit(holder, {
      doc: cell.kept ?? cell.given, label: `Code of ${cell.name}`, hint: "live-keys", run: () => this.press(cell),
      changed: (source) => { this.keep(cell, source); this.outdate(cell); this.tell(cell); },
    });
    cell.source = () => cell.view.state.doc.toString();
    cell.change = (text) => cell.view.dispatch({ changes: { from: 0, to: cell.view.state.doc.length, insert: text } });
    Object.assign(cell.go, { textContent: "Run", ariaLabel: `Run, ${cell.name}` });
    this.tell(cell);
  }

  // What was said of an answer is not said of another.
  outdate(cell) {
    const { check } = cell;
    if (!check?.out?.childElementCount || this.waiting.has(check)) return;
    check.out.replaceChildren();
    delete check.box.dataset.live;
    this.tell(check);
  }

  // The first press on an answer's button is to write in it; Python comes meanwhile.
  write(cell) {
    const stub = cell.source().match(/# YOUR CODE HERE\n.*/); // what is typed takes its place
    if (stub) cell.view.dispatch({ selection: { anchor: stub.index, head: stub.index + stub[0].length } });
    cell.view.focus();
    this.at(cell);
  }

  press(cell) {
    if (this.waiting.has(cell)) return;
    cell.out.replaceChildren();
    cell.box.dataset.live = "busy";
    const answer = cell.kind === "check" ? this.cells.slice(0, this.cells.indexOf(cell)).findLast((each) => each.kind === "answer") : null;
    if (answer && answer.source() === answer.given) {
      return this.refuse(cell, `There is no answer yet: write yours in ${answer.name}, in place of the line that raises NotImplementedError.`);
    }
    if (answer) answer.ran = null; // it is run again with its check
    this.waiting.add(cell);
    cell.stop.hidden = false;
    if (this.waiting.size > 1) cell.say("Waits for the cell that runs.");
    this.line = this.line.then(() => this.upTo(cell, answer)).finally(() => {
      this.waiting.delete(cell);
      this.hideStop(cell);
    });
  }

  refuse(cell, why) {
    show(cell.out, "hint", why);
    this.bring(cell);
    cell.box.dataset.live = "failed";
    cell.say("");
    this.tell(cell);
  }

  async upTo(cell, answer) {
    if (!this.waiting.has(cell)) return; // stopped before it began
    const before = this.cells.slice(0, this.cells.indexOf(cell)).filter((each) => this.due(each));
    let failed = "";
    for (const [index, each] of before.entries()) {
      if (!this.waiting.has(cell)) return;
      cell.say(`Runs the cells before it: ${index + 1} of ${before.length} …`);
      const ok = RUNS.has(each.kind) ? await this.one(each, cell) : await this.quietly(each, cell);
      if (!ok && each === answer) {
        return this.refuse(cell, `${sentence(answer.name)}, your answer, ended in an error: mend that first.`);
      }
      if (!ok && this.python.worker === null) return this.refuse(cell, `${sentence(each.name ?? "a cell before it")} did not end.`);
      if (!ok && each.kind === "run") failed = each.name;
    }
    if (!this.waiting.has(cell)) return;
    const ok = await this.one(cell, cell);
    cell.say(!ok && failed ? `${sentence(failed)}, which runs before it, ended in an error as well.` : "");
  }

  // What has to run before a later cell: all that has not, but for checks and answers that are not written yet.
  due(cell) {
    if (["solution", "figure", "check"].includes(cell.kind) || (cell.kind === "answer" && cell.source() === cell.given)) return false;
    return cell.ran === null || cell.ran === undefined || cell.ran !== (cell.source?.() ?? cell.given);
  }

  async one(cell, pressed) {
    const source = cell.source();
    let began = 0;
    this.at(pressed);
    for (const el of cell.still) {
      el.dispatchEvent(new Event("beforematch")); // what was covered is seen now
      el.hidden = true;
    }
    cell.out.replaceChildren();
    cell.box.dataset.live = "busy";
    const tick = setInterval(() => {
      const seconds = Math.round((performance.now() - began) / 1000);
      if (began && seconds > 1 && !this.note) pressed.say(`${cell === pressed ? "Running" : `Running ${cell.name}`}, ${seconds} s`);
    }, 1000);
    const alt = this.alt(cell, source);
    const ok = await this.python.run({ source, name: cell.name }, {
      seconds: this.exercises ? LONG.exercise : LONG.chapter,
      began: () => { began = performance.now(); this.note = ""; if (cell === pressed) pressed.say("Running …"); },
      out: (kind, text) => {
        const missing = cell.kind === "check" && kind === "error" && text.match(/NameError: name '(\w+)' is not defined/);
        if (missing) show(cell.out, "hint", `There is no ${missing[1]} yet: your answer has to give this name its value.`);
        else show(cell.out, kind, text, alt(cell.out.querySelectorAll("img").length));
      },
    });
    clearInterval(tick);
    cell.ran = this.python.worker ? source : null;
    if (cell.kind === "check") this.keep(cell, ok ? "✓" : cell.given);
    this.captions(cell, source, ok);
    this.tell(cell);
    if (!cell.out.childElementCount && cell === pressed) this.quietEnd(cell);
    if (cell === pressed) this.bring(cell);
    cell.box.dataset.live = ok ? "done" : "failed"; // now nothing moves any more
    return ok;
  }

  // The verdict stands below what was printed. Who has gone on reading elsewhere is left there.
  bring(cell) {
    const { top, bottom } = cell.bar.getBoundingClientRect();
    if (bottom > 0 && top < window.innerHeight) cell.out.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  quietEnd(cell) {
    cell.out.append(this.make("p", { className: "live-quiet", textContent: "Ran; it shows nothing." }));
  }

  // A cell that cannot run gives those after it what it made before it came to what is missing.
  async quietly(cell, pressed) {
    this.at(pressed);
    const seconds = this.exercises ? LONG.exercise : LONG.chapter;
    await this.python.run({ source: cell.given, name: "cell", quiet: true }, { seconds, began() {}, out() {} });
    cell.ran = this.python.worker ? cell.given : null;
    return this.python.worker !== null;
  }

  // A figure that the cell draws as it was given is described as in the book.
  alt(cell, source) {
    const known = source === cell.given ? cell.still.flatMap((el) => [...el.querySelectorAll("img")].map((image) => image.alt)) : [];
    return (index) => known[index] ?? `Figure ${index + 1} drawn by ${cell.name}`;
  }

  captions(cell, source, ok) {
    if (!ok || source !== cell.given) return;
    for (const el of cell.still) {
      for (const caption of el.querySelectorAll("figcaption")) {
        const copy = this.make("div", { className: "live-caption" }, ...caption.cloneNode(true).childNodes);
        copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
        copy.querySelectorAll("[id]").forEach((one) => one.removeAttribute("id"));
        cell.out.append(copy);
      }
    }
  }

  stop(cell) {
    cell.stopped = performance.now();
    this.waiting.delete(cell);
    if (this.current === cell && this.python.work) this.python.stop();
    else {
      cell.say("");
      delete cell.box.dataset.live;
    }
    this.hideStop(cell);
  }

  // Who has pressed it stays where they are.
  hideStop(cell) {
    if (cell.stop === document.activeElement) cell.go.focus();
    cell.stop.hidden = true;
  }

  tell(cell) {
    const touched = cell.out.childElementCount > 0 || cell.source() !== cell.given;
    cell.reset.hidden = !touched;
    cell.all.hidden = !touched || this.exercises; // there it stands above
  }

  reset(cell) {
    if (cell.kind === "check") this.keep(cell, cell.given);
    cell.change?.(cell.given);
    cell.out.replaceChildren();
    cell.still.forEach((el) => { el.hidden = false; });
    cell.ran = null;
    delete cell.box.dataset.live;
    cell.say("");
    this.tell(cell);
  }

  resetAll() {
    this.waiting.clear();
    this.python.end("");
    this.cells.filter((cell) => RUNS.has(cell.kind)).forEach((cell) => this.reset(cell));
  }
}
