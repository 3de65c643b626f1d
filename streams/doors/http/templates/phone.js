// The page shows what the gateway says and sends what is pressed; the gateway alone knows how far a call is.
(function () {
  var phone = document.getElementById("phone"), button = document.getElementById("sound");
  var sound = null, spoken = "", noted = "", told = "", since = 0, tone = null, again = false, busy = false, player = new Audio();

  function screen() { return document.getElementById("screen"); }
  function form(name, key) {
    return phone.querySelector('form[data-act="' + name + '"]' + (key ? '[data-key="' + key + '"]' : ""));
  }
  async function send(one, key) {
    if (!one || busy) return;
    busy = true;
    var fields = new URLSearchParams(new FormData(one));
    if (key) fields.set("key", key);
    try { await fetch(one.action, { method: "POST", body: fields, redirect: "manual" }); } catch (lost) { /* asked again */ }
    busy = false;
    look();
  }
  // An act that the page notices and nobody presses has no button; it goes where hanging up goes.
  function note(doing) {
    var one = form("hang_up");
    if (!one || noted === doing + told) return;
    noted = doing + told;
    var fields = new URLSearchParams(new FormData(one));
    fetch(one.action.replace(/hang_up$/, doing), { method: "POST", body: fields, redirect: "manual" }).then(look, look);
  }
  async function look() {
    try {
      var answer = await fetch(phone.dataset.screen, { cache: "no-store" });
      if (answer.ok) put(await answer.text());
    } catch (lost) { /* the gateway is being started again */ }
  }
  function put(html) {
    var held = document.createElement("div");
    held.innerHTML = html;
    var fresh = held.firstElementChild, old = screen(), typed = phone.querySelector("#reply");
    // Somebody who types or scrolls is not disturbed as long as nothing else changed.
    if (same(old) === same(fresh)) { sync(old, fresh); return; }
    var words = typed ? typed.value : "", focused = document.activeElement === typed;
    old.replaceWith(fresh);
    typed = phone.querySelector("#reply");
    if (typed && words) typed.value = words;
    if (typed && focused) typed.focus();
    var texts = phone.querySelector(".bubbles");
    if (texts) texts.scrollTop = texts.scrollHeight;
    react();
  }
  function same(one) {
    var twin = one.cloneNode(true);
    twin.removeAttribute("data-left-s");
    twin.querySelectorAll("progress").forEach(function (bar) { bar.remove(); });
    twin.querySelectorAll("details").forEach(function (each) { each.removeAttribute("open"); });
    return twin.outerHTML;
  }
  function sync(old, fresh) {
    var bar = old.querySelector("progress"), other = fresh.querySelector("progress");
    if (bar && other) bar.value = other.value;
    tick();
  }
  function react() {
    var state = screen().dataset.state, call = screen().dataset.attempt;
    if (told !== state + call) { told = state + call; since = Date.now(); again = false; hush(); }
    if (state === "ringing") { ring(); phone.focus({ preventScroll: true }); }
    if (state === "talking") speak(call);
    if (state === "talking" && screen().dataset.mayPress) note("listened");
    tick();
  }
  function tick() {
    var state = screen().dataset.state, passed_s = (Date.now() - since) / 1000, message_s = Number(screen().dataset.messageS);
    if (state === "ringing" && passed_s > Number(phone.dataset.ringS)) note("missed");
    // The keys are asked for three times, eight seconds each; then the call is over.
    if (state === "talking" && screen().dataset.mayPress && passed_s > (again ? 2 : 1) * message_s + 24) note("missed");
  }
  function ring() {
    if (navigator.vibrate) navigator.vibrate([400, 200, 400]);
    if (!sound) return;
    tone = sound.createOscillator();
    var loud = sound.createGain(), at = sound.currentTime;
    tone.frequency.value = 450;
    loud.gain.value = 0;
    for (var beat = 0; beat < 7; beat++) {
      loud.gain.setValueAtTime(0.15, at + beat * 5);
      loud.gain.setValueAtTime(0, at + beat * 5 + 1);
    }
    tone.connect(loud).connect(sound.destination);
    tone.start();
  }
  function hush() {
    if (tone) { tone.stop(); tone = null; }
    player.pause();
    spoken = "";
    if (window.speechSynthesis) speechSynthesis.cancel();
  }
  function speak(call) {
    if (!sound || spoken === call) return;
    spoken = call;
    var words = phone.querySelector(".speech").textContent, language = phone.querySelector(".speech").lang;
    var voices = window.speechSynthesis ? speechSynthesis.getVoices() : [];
    if (voices.some(function (voice) { return voice.lang.slice(0, 2) === language.slice(0, 2); })) {
      var said = new SpeechSynthesisUtterance(words);
      said.lang = language;
      speechSynthesis.speak(said);
    } else if (screen().dataset.speech) {
      player.src = screen().dataset.speech;
      player.play().catch(function () { /* what is shown stays to be read */ });
    }
  }
  function sayAgain() {
    again = true;
    hush();
    speak(screen().dataset.attempt);
    phone.querySelector(".speech").scrollTop = 0;
  }
  button.addEventListener("click", function () {
    sound = sound || new AudioContext();
    button.textContent = button.dataset.on;
    button.setAttribute("aria-pressed", "true");
    react();
  });
  phone.addEventListener("submit", function (event) {
    event.preventDefault();
    var one = event.target, text = one.querySelector("#reply");
    if (one.dataset.act === "again") return;
    send(one, one.dataset.key);
    if (text) text.value = "";
  });
  phone.addEventListener("click", function (event) {
    if (event.target.dataset && event.target.dataset.again) sayAgain();
  });
  document.addEventListener("keydown", function (event) {
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    var state = screen().dataset.state;
    if (event.key === "Enter" && state === "ringing") { event.preventDefault(); send(form("answer")); }
    if (event.key === "Escape" && state !== "idle") send(form("hang_up"));
    if (state === "talking" && event.key === "3") sayAgain();
    if (state === "talking" && screen().dataset.mayPress && "120".includes(event.key)) send(form("press", event.key), event.key);
  });
  setInterval(look, 1000);
  react();
})();
