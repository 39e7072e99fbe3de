from django.urls import path

from calls.console.consumer import BoardSocket, ChangesSocket

websocket_urlpatterns = [
    path("ws/board/", BoardSocket.as_asgi()),
    path("ws/changes/", ChangesSocket.as_asgi()),
    path("ws/changes/<uuid:pk>/", ChangesSocket.as_asgi()),
]
