"""The service: the engine that decides, and everything around it that receives, keeps and answers."""
