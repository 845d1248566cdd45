// The live panel: big numbers, one cue, and the voice. It draws what Python sends and says each thing once.

const STORE = "formcheck.voice";
const SIGNS = { fault: "✕", caution: "!" };
const CAMERA = {
  NotAllowedError:
    "The browser may not use the camera. Allow it (the camera symbol beside the page's address), then press Start again.",
  NotFoundError: "No camera was found. Connect one, then press Start again.",
  NotReadableError:
    "The camera does not answer. Another program or tab may be using it: close that one, then press Start again.",
  OverconstrainedError: "This camera cannot be used. Choose another one below the picture, then press Start again.",
  insecure:
    "Browsers give the camera only to pages of this computer (http://localhost) or over https. Open formcheck on the computer that has the camera, or serve it over https.",
};
CAMERA.SecurityError = CAMERA.PermissionDeniedError = CAMERA.NotAllowedError;
CAMERA.AbortError = CAMERA.TrackStartError = CAMERA.NotReadableError;
CAMERA.DevicesNotFoundError = CAMERA.NotFoundError;

// Tones: pitch in hertz, one after another, 90 ms each.
const TONES = { rep: [880], cue: [440, 440], good: [660, 880], start: [660, 660, 990], tick: [550] };

const panels = new WeakMap();

function loadSettings() {
  const usual = { voiceOn: true, tonesOn: true, voice: "", rate: 1.0, volume: 1.0 };
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(STORE) || "{}") };
  } catch {
    return usual;
  }
}

class Sound {
  constructor() {
    this.settings = loadSettings();
    this.audio = null;
    this.waiting = null;
  }

  save() {
    try {
      localStorage.setItem(STORE, JSON.stringify(this.settings));
    } catch {
      // a browser that keeps nothing: the settings hold until the page is closed
    }
  }

  tone(name) {
    const pitches = TONES[name];
    if (!pitches || !this.settings.tonesOn || !window.AudioContext) return 0;
    this.audio ||= new AudioContext();
    if (this.audio.state === "suspended") this.audio.resume();
    const volume = 0.35 * this.settings.volume;
    pitches.forEach((pitch, number) => {
      const start = this.audio.currentTime + 0.02 + number * 0.11;
      const oscillator = this.audio.createOscillator();
      const gain = this.audio.createGain();
      oscillator.frequency.value = pitch;
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(volume, start + 0.01);
      gain.gain.linearRampToValueAtTime(0, start + 0.09);
      oscillator.connect(gain).connect(this.audio.destination);
      oscillator.start(start);
      oscillator.stop(start + 0.1);
    });
    return pitches.length * 110;
  }

  say(saying) {
    const wait = this.tone(saying.tone);
    const synthesis = window.speechSynthesis;
    if (!saying.text || !this.settings.voiceOn || !synthesis) return;
    if (saying.urgent) this.hush();
    else if (synthesis.pending || this.waiting) return; // it would come too late to mean anything
    const words = new SpeechSynthesisUtterance(saying.text);
    words.lang = "en";
    words.rate = this.settings.rate;
    words.volume = this.settings.volume;
    const voice = synthesis.getVoices().find((item) => item.voiceURI === this.settings.voice);
    if (voice) {
      words.voice = voice;
      words.lang = voice.lang;
    }
    // After the tone; and right after cancel() some browsers say nothing.
    this.waiting = setTimeout(() => {
      this.waiting = null;
      synthesis.speak(words);
    }, Math.max(wait, 60));
  }

  hush() {
    clearTimeout(this.waiting);
    this.waiting = null;
    window.speechSynthesis?.cancel();
  }
}

const sound = new Sound();

// The camera's frame shows an error as "name: message"; what to do about it stands in the panel. By this one name the
// frame knows that the camera used before is gone, and takes another.
function plain(error) {
  if (error.name === "OverconstrainedError") return error;
  const shown = new Error("no picture.", { cause: error });
  shown.name = "Camera";
  return shown;
}

// A computer that has much to do answers late now and then. Browsers call the connection "disconnected" after a few
// seconds, and it mends itself with the next answer; but the camera's frame would end the set there. A connection that
// does not come back is called "failed" before long, which the frame still hears.
function bePatient(frame) {
  const Usual = frame.RTCPeerConnection;
  if (!Usual) return;
  frame.RTCPeerConnection = class extends Usual {
    addEventListener(type, listener, ...options) {
      const heard =
        type === "connectionstatechange"
          ? (event) => this.connectionState === "disconnected" || listener.call(this, event)
          : listener;
      super.addEventListener(type, heard, ...options);
    }
  };
}

class Panel {
  constructor(root) {
    this.root = root;
    this.at = (name) => root.querySelector("." + name);
    this.run = null;
    this.said = 0;
    this.trouble = "";
    this.wireSettings();
    if (!window.isSecureContext || !navigator.mediaDevices) this.trouble = CAMERA.insecure;
    else this.askPermission();
    this.keepWatching();
  }

  // The camera's frame may load after this panel was last drawn, and it may load anew.
  keepWatching() {
    const timer = setInterval(() => (this.root.isConnected ? this.watchCamera() : clearInterval(timer)), 100);
  }

  wireSettings() {
    const { settings } = sound;
    const bind = (name, key, property) => {
      const element = this.at(name);
      element[property] = settings[key];
      element.addEventListener("input", () => {
        settings[key] = element.type === "range" ? Number(element.value) : element[property];
        sound.save();
        if (key === "voiceOn" && !settings.voiceOn) sound.hush();
      });
    };
    bind("voice-on", "voiceOn", "checked");
    bind("tones-on", "tonesOn", "checked");
    bind("rate", "rate", "value");
    bind("volume", "volume", "value");
    bind("voice", "voice", "value");
    this.at("try").addEventListener("click", () =>
      sound.say({ text: "Soften your knees a little.", tone: "cue", urgent: true })
    );
    this.listVoices();
    window.speechSynthesis?.addEventListener?.("voiceschanged", () => this.listVoices());
  }

  listVoices() {
    const select = this.at("voice");
    const voices = (window.speechSynthesis?.getVoices() || []).filter((item) => item.lang.startsWith("en"));
    select.replaceChildren(new Option(voices.length ? "The browser's own" : "No voice is installed", ""));
    for (const item of voices) select.append(new Option(item.name, item.voiceURI));
    select.value = voices.some((item) => item.voiceURI === sound.settings.voice) ? sound.settings.voice : "";
  }

  async askPermission() {
    try {
      const status = await navigator.permissions.query({ name: "camera" });
      const look = () => this.setTrouble(status.state === "denied" ? CAMERA.NotAllowedError : "");
      look();
      status.onchange = look;
      const devices = await navigator.mediaDevices.enumerateDevices();
      if (!this.trouble && !devices.some((item) => item.kind === "videoinput")) this.setTrouble(CAMERA.NotFoundError);
      navigator.mediaDevices.addEventListener("devicechange", look);
    } catch {
      // a browser that does not tell before: it is told when the camera is asked for
    }
  }

  // The camera is asked for in a frame of this page; what goes wrong there is said here in plain words.
  watchCamera() {
    const frame = document.querySelector('iframe[title*="streamlit_webrtc"]');
    let devices = null;
    try {
      devices = frame?.contentWindow?.navigator.mediaDevices;
    } catch {
      return; // another origin
    }
    if (!devices || devices.formcheckWatched) return;
    devices.formcheckWatched = true;
    bePatient(frame.contentWindow);
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        this.setTrouble("");
        return stream;
      } catch (error) {
        this.setTrouble(CAMERA[error.name] || `The camera cannot be used (${error.name}).`);
        throw plain(error);
      }
    };
  }

  setTrouble(text) {
    this.trouble = text;
    this.show("trouble", text);
  }

  show(name, text) {
    const element = this.at(name);
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }

  update(data) {
    this.watchCamera();
    this.show("trouble", this.trouble);
    this.root.querySelector(".panel").dataset.stage = data.stage;
    this.show("title", data.title);
    this.show("number", data.number);
    this.show("unit", data.unit);
    this.show("words", data.words);
    this.show("notice", data.notice);
    this.show("small", data.small);
    this.at("small").hidden = false; // its place stays, so that nothing jumps
    this.at("bar").hidden = data.share === null;
    this.at("bar").firstElementChild.style.width = `${Math.round(100 * (data.share || 0))}%`;
    const cue = this.at("cue");
    cue.hidden = !data.cue;
    if (data.cue) {
      cue.dataset.status = data.cue.status;
      cue.querySelector(".sign").textContent = SIGNS[data.cue.status] || "";
      cue.querySelector(".text").textContent = data.cue.text;
    }
    this.hear(data);
  }

  hear(data) {
    if (data.run !== this.run) {
      this.run = data.run;
      this.said = 0;
      sound.hush();
    }
    const fresh = data.sayings.filter((saying) => saying.number > this.said);
    // Of several at once, as after a pause, what an urgent one would stop is not begun.
    const first = Math.max(0, fresh.findLastIndex((saying) => saying.urgent));
    for (const saying of fresh.slice(first)) {
      this.said = saying.number;
      if (saying.text) this.at("live").textContent = saying.text;
      sound.say(saying);
    }
  }
}

export default function (component) {
  const root = component.parentElement;
  let panel = panels.get(root);
  if (!panel) {
    panel = new Panel(root);
    panels.set(root, panel);
  }
  panel.update(component.data);
}
