package org.chunkllama.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.error.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is drawn under a schema, from random logits, a validator accepts. */
class SchemaGuideTest {
  private final GuideFixture fixture = new GuideFixture();

  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},
         "required":["name","age"],"additionalProperties":false}\
        """,
        """
        {"type":"object","properties":{"a":{"type":"string","maxLength":4},"b":{"type":"boolean"},
         "c":{"type":"null"}},"required":["b"]}\
        """,
        """
        {"type":"array","items":{"type":"number","minimum":-3,"exclusiveMaximum":120},
         "minItems":2,"maxItems":4}\
        """,
        """
        {"type":"integer","minimum":-17,"maximum":2025}\
        """,
        """
        {"type":"object","properties":{"kind":{"enum":["a\\"b","é","x"]},"v":{"const":{"k":[1,null]}}},
         "required":["kind","v"],"additionalProperties":{"type":"integer","exclusiveMinimum":5}}\
        """,
        """
        {"anyOf":[{"type":"string","minLength":3,"maxLength":6},{"type":"array","items":{"type":"null"},
         "maxItems":3}]}\
        """,
        """
        {"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"value":{"type":"integer"},
         "children":{"type":"array","items":{"$ref":"#/$defs/tree"},"maxItems":2}},
         "required":["value"],"additionalProperties":false}}}\
        """,
        """
        {"oneOf":[{"type":"object","properties":{"t":{"const":"circle"},"r":{"type":"number","minimum":0}},
         "required":["t","r"]},{"type":"object","properties":{"t":{"const":"square"},
         "s":{"type":"number","exclusiveMinimum":0,"maximum":9}},"required":["t","s"]},
         {"type":"string"},{"type":"null"}]}\
        """,
        """
        {"type":"string","pattern":"^[A-Z]{2}[0-9\\"]{2,4}(/[a-z]+)?$"}\
        """,
        """
        {"type":"string","pattern":"ab|c\\\\d"}\
        """,
        """
        {"type":"object","properties":{"d":{"type":"string","format":"date"},
         "t":{"type":"string","format":"date-time"},"u":{"type":"string","format":"uuid"},
         "i":{"type":"string","format":"ipv4"},
         "l":{"type":"string","format":"uri"},"h":{"type":"string","format":"time"}},
         "required":["d","t","u","i","l","h"]}\
        """,
        """
        {"type":["string","null","integer"],"maxLength":8,"description":"several types"}\
        """,
        """
        {"type":"object","additionalProperties":{"type":"array","items":{"enum":[1,2.5,"x"]}}}\
        """,
        """
        {"type":"object","properties":{"any":{}},"required":["any","more"]}\
        """,
        """
        {"type":"number"}\
        """,
        """
        {"properties":{"name":{"type":"string"},"nam":{"type":"integer"}},"required":["name"],
         "additionalProperties":{"type":"boolean"}}\
        """,
        """
        {"$defs":{"node":{"properties":{"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},
         "required":["next"]}},"allOf":[{"$ref":"#/$defs/node"}]}\
        """
      })
  void aValidatorAcceptsWhatIsDrawn(String schema) {
    Schema validator =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
    int ended = 0;
    for (int seed = 0; seed < 40; seed++) {
      Optional<String> text = fixture.draw(Guide.jsonSchema(schema), seed);
      if (text.isPresent()) {
        ended++;
        var errors =
            validator.validate(
                text.get(),
                InputFormat.JSON,
                context -> context.executionConfig(c -> c.formatAssertionsEnabled(true)));
        assertThat(errors).as(text.get()).isEmpty();
      }
    }
    assertThat(ended).isGreaterThan(32);
  }

  @Test
  void anyObject() {
    int ended = 0;
    for (int seed = 0; seed < 60; seed++) {
      Optional<String> text = fixture.draw(Guide.jsonObject(), seed);
      ended += text.isPresent() ? 1 : 0;
      text.ifPresent(t ->
          assertThat(new tools.jackson.databind.json.JsonMapper().readTree(t).isObject())
              .as(t)
              .isTrue());
    }
    assertThat(ended).isGreaterThan(45);
  }

  @Test
  void takesWhatPeopleWrite() {
    String schema =
        """
        {"type":"object","properties":{"city":{"type":"string"},"days":{"type":"array",
        "items":{"type":"object","properties":{"high":{"type":"number"}},"required":["high"]}}},
        "required":["city","days"],"additionalProperties":false}\
        """;
    Guide guide = Guide.jsonSchema(schema);
    for (String text :
        List.of(
            "{\"city\":\"Köln\",\"days\":[]}",
            "{\"city\": \"A \\\"B\\\" \\u00e9\", \"days\": [{\"high\": -3.5}, {\"high\": 1e2}]}",
            "{\n  \"city\": \"x\",\n  \"days\": [\n    {\n      \"high\": 20\n    }\n  ]\n}")) {
      assertThat(fixture.fits(guide, text)).as(text).isTrue();
    }
    for (String text :
        List.of(
            "{}",
            "{\"city\":\"x\"}",
            "{\"days\":[],\"city\":\"x\"}",
            "{\"city\":\"x\",\"days\":[],\"more\":1}",
            "{\"city\":\"\n\",\"days\":[]}",
            "{\"city\":\"\\ud800\",\"days\":[]}",
            "{\"city\":\"x\",\"days\":[{\"high\":01}]}",
            "{\"city\":\"x\",\"days\":[]} ")) {
      assertThat(fixture.fits(guide, text)).as(text).isFalse();
    }
  }

  /** The validator knows which top-level domains there are; the guide does not. */
  @Test
  void emailAddresses() {
    Guide guide = Guide.jsonSchema("{\"type\":\"string\",\"format\":\"email\"}");
    assertThat(fixture.fits(guide, "\"ada.lovelace+x@mail.example.org\"")).isTrue();
    assertThat(fixture.fits(guide, "\"ada@example\"")).isFalse();
    assertThat(fixture.fits(guide, "\"ada example.org\"")).isFalse();
    assertThat(fixture.fits(guide, "\"a..b@example.org\"")).isFalse();
  }

  @Test
  void numbersWithinBounds() {
    for (int[] bounds : new int[][] {{0, 0}, {-5, 5}, {-123, -7}, {1, 1000}, {99, 101}, {-1, 30}}) {
      Guide whole =
          Guide.jsonSchema(
              "{\"type\":\"integer\",\"minimum\":%d,\"maximum\":%d}"
                  .formatted(bounds[0], bounds[1]));
      Guide open =
          Guide.jsonSchema(
              "{\"type\":\"number\",\"exclusiveMinimum\":%d,\"maximum\":%d}"
                  .formatted(bounds[0] - 1, bounds[1]));
      for (int i = -1100; i <= 1100; i++) {
        boolean inside = i >= bounds[0] && i <= bounds[1];
        assertThat(fixture.fits(whole, String.valueOf(i))).as("%d", i).isEqualTo(inside);
        assertThat(fixture.fits(open, String.valueOf(i))).as("%d", i).isEqualTo(inside);
        double half = i + 0.5;
        assertThat(fixture.fits(open, String.valueOf(half)))
            .as("%s", half)
            .isEqualTo(half > bounds[0] - 1 && half <= bounds[1]);
      }
    }
  }

  @Test
  void refusesByName() {
    Map<String, String> refused =
        Map.ofEntries(
            Map.entry("{\"not\":{}}", "'not'"),
            Map.entry("{\"type\":\"object\",\"patternProperties\":{}}", "'patternProperties'"),
            Map.entry("{\"type\":\"array\",\"uniqueItems\":true}", "'uniqueItems'"),
            Map.entry("{\"type\":\"number\",\"multipleOf\":3}", "'multipleOf'"),
            Map.entry("{\"type\":\"number\",\"minimum\":0.5}", "'minimum'"),
            Map.entry("{\"type\":\"string\",\"format\":\"idn-email\"}", "'format'"),
            Map.entry("{\"allOf\":[{},{}]}", "'allOf'"),
            Map.entry("{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "'oneOf'"),
            Map.entry("{\"type\":\"text\"}", "'type'"),
            Map.entry("{\"$ref\":\"#/$defs/none\"}", "'$ref'"),
            Map.entry("{\"$ref\":\"http://x/y\"}", "'$ref'"),
            Map.entry("{\"type\":\"string\",\"minLength\":2,\"pattern\":\"a\"}", "'minLength"),
            Map.entry("{\"if\":{}}", "'if'"),
            Map.entry("{\"anyOf\":[{\"type\":\"null\"}],\"properties\":{}}", "'properties'"),
            Map.entry("{\"minItems\":5,\"maxItems\":2,\"type\":\"array\"}", "'maxItems'"),
            Map.entry("{\"type\":\"integer\",\"minimum\":5,\"maximum\":2}", "no number"),
            Map.entry("[1]", "must be an object"),
            Map.entry("{\"type\":", "no JSON"),
            Map.entry(
                "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":[{\"type\":\"null\"},"
                    + "{\"$ref\":\"#/$defs/a\"}]}}}",
                "'$ref'"),
            Map.entry(
                "{\"required\":[\"x\"],\"additionalProperties\":false,\"properties\":{}}",
                "'additionalProperties'"));
    refused.forEach((schema, names) ->
        assertThatThrownBy(() -> fixture.compiler.compile(Guide.jsonSchema(schema)))
            .as(schema)
            .isInstanceOf(InvalidRequestException.class)
            .message()
            .containsAnyOf(names.split("\\|"))
            .doesNotContain("\n"));
  }
}
