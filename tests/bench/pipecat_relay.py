"""The peer whom `make bench-peers` measures: pipecat's own FastAPI transport and its OpenAI Realtime service, with the
serializer that its user would write for mod_audio_stream. Run by a Python of its own, see requirements-pipecat.txt.

UPSTREAM and PORT come from the environment.
"""

import base64
import json
import os

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.frames.frames import AudioRawFrame, InputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

logger.remove()
RATE = 24_000
app = FastAPI()


class AudioStream(FrameSerializer):
    async def serialize(self, frame):
        if isinstance(frame, AudioRawFrame):
            audio = base64.b64encode(frame.audio).decode()
            data = {"audioDataType": "raw", "sampleRate": frame.sample_rate, "audioData": audio}
            return json.dumps({"type": "streamAudio", "data": data})
        return None

    async def deserialize(self, data):
        if isinstance(data, bytes):
            return InputAudioRawFrame(audio=data, sample_rate=RATE, num_channels=1)
        return None


@app.websocket("/audio/{call}")
async def audio(socket: WebSocket, call: str):
    await socket.accept()
    parameters = FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=AudioStream())
    transport = FastAPIWebsocketTransport(socket, parameters)
    session = events.SessionProperties(output_modalities=["audio"], instructions=call)
    model = OpenAIRealtimeLLMService(
        api_key="bench",
        base_url=os.environ["UPSTREAM"],
        settings=OpenAIRealtimeLLMService.Settings(session_properties=session),
    )
    worker = PipelineWorker(
        Pipeline([transport.input(), model, transport.output()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        enable_rtvi=False,
        idle_timeout_secs=None,
    )

    @transport.event_handler("on_client_disconnected")
    async def gone(transport, client):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


uvicorn.run(
    app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", loop="uvloop", ws="websockets",
    ws_per_message_deflate=False,
)  # fmt: skip
