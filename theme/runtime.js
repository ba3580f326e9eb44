// What a kernel does for a figure, done in the page: a model with the state that the page carries.
// What the reader changes is kept in the address, so that a link or a reload shows the same figure.

function makeModel(initial, changed, keep) {
  const state = { ...initial, ...changed };
  const listeners = new Map();
  const emit = (event) => (listeners.get(event) ?? []).forEach((listener) => listener());
  return {
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      emit(`change:${name}`);
      emit("change");
    },
    save_changes: () => keep(Object.fromEntries(Object.entries(state)
      .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(initial[name])))),
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) => listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== listener)),
    send() {},
  };
}

// #figures={"0": {"stride": 2}}: the changed traits of the page's first figure.
function readAddress() {
  try {
    const kept = JSON.parse(decodeURIComponent(location.hash.replace(/^#figures=/, "")));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function start() {
  const kept = readAddress();
  let timer;
  const write = () => {
    const text = JSON.stringify(kept);
    history.replaceState(null, "", text === "{}" ? location.pathname + location.search : `#figures=${encodeURIComponent(text)}`);
  };
  document.querySelectorAll(".cnn-widget").forEach((box, index) => {
    const initial = JSON.parse(box.dataset.state);
    const own = Object.fromEntries(Object.entries(kept[index] ?? {}).filter(([name]) => name in initial));
    const model = makeModel(initial, own, (changed) => {
      if (Object.keys(changed).length) kept[index] = changed;
      else delete kept[index];
      clearTimeout(timer);
      timer = setTimeout(write, 250);
    });
    const el = document.createElement("div");
    try {
      figures[box.dataset.widget].render({ model, el });
    } catch (error) {
      console.error(`figure ${box.dataset.widget}:`, error); // the picture stays
      return;
    }
    box.replaceChildren(el);
    box.dataset.ready = "";
    // Who follows a link to a figure's state wants to see it; who reloads wants to stay.
    if (Object.keys(own).length && performance.getEntriesByType("navigation")[0].type === "navigate") box.scrollIntoView();
  });
}

start();
