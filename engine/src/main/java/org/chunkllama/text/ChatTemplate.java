package org.chunkllama.text;

import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.TemplateException;
import org.chunkllama.text.jinja.JinjaTemplate;
import org.jspecify.annotations.Nullable;

/**
 * Turns a chat into the prompt that the model was trained on, by the Jinja template that comes with
 * it. Equal to what Hugging Face's transformers renders.
 *
 * <p>The prompt holds the model's control tokens as text, BOS included where the template writes
 * it: encode it with {@code addSpecial} false and {@code parseSpecial} true. As everywhere, control
 * tokens that a user spells out in a message are then read as such.
 *
 * <p>Immutable and thread-safe.
 */
public final class ChatTemplate {
  /** For models that know ChatML's markers but bring no template. */
  private static final String CHAT_ML =
      """
      {%- if tools %}
      {{- raise_exception('this model brings no chat template, and the plain one has no tools') }}
      {%- endif %}
      {%- for message in messages %}
      {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
      {%- endfor %}
      {%- if add_generation_prompt %}
      {{- '<|im_start|>assistant\\n' }}
      {%- endif %}
      """;

  private static final String NO_TEMPLATE =
      "this model brings no chat template: give it raw prompts (--raw), or use an instruct model";

  private final String source;
  private final Map<String, String> specialTokens;

  /** Null where there is no template that can be used; {@link #problem} then says why. */
  private final @Nullable JinjaTemplate template;

  private final String problem;

  private ChatTemplate(
      String source,
      Map<String, String> specialTokens,
      @Nullable JinjaTemplate template,
      String problem) {
    this.source = source;
    this.specialTokens = specialTokens;
    this.template = template;
    this.problem = problem;
  }

  /**
   * A template of Jinja source.
   *
   * @param bosToken how the begin-of-sequence token is spelled, or null where there is none
   * @param eosToken the same of the end-of-sequence token
   * @throws TemplateException where it is broken or uses what is not supported; names the line
   */
  public static ChatTemplate compile(
      String source, @Nullable String bosToken, @Nullable String eosToken) {
    return compile(source, bosToken, eosToken, Clock.system(ZoneId.systemDefault()));
  }

  static ChatTemplate compile(
      String source, @Nullable String bosToken, @Nullable String eosToken, Clock clock) {
    return new ChatTemplate(
        source, specialTokens(bosToken, eosToken), JinjaTemplate.parse(source, clock), "");
  }

  /**
   * The template of a model. Where the model brings none: ChatML's, if its vocabulary has that
   * format's markers. Otherwise, and where the template is broken, rendering throws, but raw
   * prompts still work.
   *
   * @param source the model's own template, or null
   */
  public static ChatTemplate of(@Nullable String source, Tokenizer tokenizer) {
    String bos = tokenizer.bosId() < 0 ? null : tokenizer.token(tokenizer.bosId());
    List<Integer> eosIds = tokenizer.eosIds();
    String eos = eosIds.isEmpty() ? null : tokenizer.token(eosIds.getFirst());
    try {
      if (source != null) {
        return compile(source, bos, eos);
      }
      if (tokenizer.id("<|im_start|>") >= 0 && tokenizer.id("<|im_end|>") >= 0) {
        return compile(CHAT_ML, bos, eos);
      }
      return new ChatTemplate("", Map.of(), null, NO_TEMPLATE);
    } catch (TemplateException e) {
      return new ChatTemplate(
          source == null ? "" : source, Map.of(), null, String.valueOf(e.getMessage()));
    }
  }

  private static Map<String, String> specialTokens(@Nullable String bos, @Nullable String eos) {
    var tokens = new LinkedHashMap<String, String>();
    if (bos != null) {
      tokens.put("bos_token", bos);
    }
    if (eos != null) {
      tokens.put("eos_token", eos);
    }
    return tokens;
  }

  /** Whether {@link #render} can succeed at all. */
  public boolean isUsable() {
    return template != null;
  }

  /** The template's Jinja source; empty where the model brings none and none is known. */
  public String source() {
    return source;
  }

  /** {@link #render(List, List, boolean, Map)} without tools or extras. */
  public String render(List<Message> messages, boolean addGenerationPrompt) {
    return render(messages, List.of(), addGenerationPrompt, Map.of());
  }

  /**
   * The prompt.
   *
   * @param tools JSON schemas of functions that the model may call, as OpenAI has them; may be
   *     empty
   * @param addGenerationPrompt end with the beginning of an assistant's message
   * @param extras further variables that the template knows, such as {@code enable_thinking}:
   *     strings, numbers, booleans, null, lists and maps
   * @throws TemplateException where the template fails on these messages or refuses them, and where
   *     the model has no template
   */
  public String render(
      List<Message> messages,
      List<? extends Map<String, ? extends @Nullable Object>> tools,
      boolean addGenerationPrompt,
      Map<String, ? extends @Nullable Object> extras) {
    if (template == null) {
      throw new TemplateException(problem);
    }
    var values = new LinkedHashMap<String, @Nullable Object>(specialTokens);
    values.put("documents", null);
    values.putAll(extras);
    values.put("messages", messages.stream().map(Message::toMap).toList());
    values.put("tools", tools.isEmpty() ? null : tools);
    values.put("add_generation_prompt", addGenerationPrompt);
    return template.render(values);
  }
}
