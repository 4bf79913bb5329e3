package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import org.chunkllama.server.FragileBackendProvider.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A step that fails ends the requests of that step; a device that is lost takes the server out of
 * service.
 */
class DeviceFaultTest {
  private static final String PATH = "/v1/completions";
  private static final String BODY = "{\"prompt\":\"Once\",\"max_tokens\":3,\"ignore_eos\":true";

  private static TestServer server() {
    return new TestServer(m -> m.withBackend(FragileBackendProvider.NAME), o -> o);
  }

  private static void assertError(HttpResponse<String> answer, int status, String code) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(TestServer.JSON.readTree(answer.body()).at("/error/code").asString())
        .isEqualTo(code);
  }

  @AfterEach
  void mend() {
    FragileBackendProvider.state = State.SOUND;
  }

  @Test
  void aFailingStepIsOfItsRequestsAlone() {
    try (TestServer server = server()) {
      FragileBackendProvider.state = State.FAILING;
      HttpResponse<String> failed = server.post(PATH, BODY + "}");
      assertError(failed, 500, "device_failed");
      assertThat(failed.body()).contains("the launch failed");
      String stream = server.post(PATH, BODY + ",\"stream\":true}").body();
      assertThat(stream).contains("the launch failed");
      assertThat(server.get("/ready").statusCode()).isEqualTo(200);
      FragileBackendProvider.state = State.SOUND;
      assertThat(server.post(PATH, BODY + "}").statusCode()).isEqualTo(200);
      server.awaitIdle();
    }
  }

  @Test
  void aLostDeviceTakesTheServerOutOfService() {
    try (TestServer server = server()) {
      assertThat(server.post(PATH, BODY + "}").statusCode()).isEqualTo(200);
      assertThat(server.get("/health").statusCode()).isEqualTo(200);
      FragileBackendProvider.state = State.LOST;
      HttpResponse<String> failed = server.post(PATH, BODY + "}");
      assertError(failed, 503, "engine_down");
      assertThat(failed.body()).contains("device is lost").contains("it fell off the bus");
      assertError(server.get("/ready"), 503, "engine_down");
      assertError(server.get("/health"), 503, "engine_down");
      // It does not come back by itself, and says so at once.
      FragileBackendProvider.state = State.SOUND;
      assertError(server.post(PATH, BODY + "}"), 503, "engine_down");
      assertError(server.get("/ready"), 503, "engine_down");
    }
  }
}
